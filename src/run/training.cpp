#include <kaon/run/training.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/checkpoint/folder.hpp>
#include <kaon/run/finite.hpp>
#include <kaon/run/metrics.hpp>
#include <kaon/run/progress.hpp>
#include <kaon/run/signals.hpp>

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace kaon {

namespace {

std::vector<std::string> const metric_columns{"loss",    "multiplier", "bytes_up", "bytes_down",
                                              "wire_up", "wire_down",  "samples",  "seconds"};
std::vector<std::string> const layer_columns{"layer", "alpha_up", "lag", "alpha_down", "gap", "gradient_norm"};
std::vector<std::string> const validation_columns{"loss"};

}  // namespace

template <class T>
Training<T>::Training(Communicator const& comm, Deck const& deck, Build const& build, Log const& log)
    : Training(comm, deck, build, log, make_objective<T>(deck)) {}

template <class T>
Training<T>::Training(Communicator const& comm, Deck const& deck, Build const& build, Log const& log,
                      std::unique_ptr<Objective<T>> objective)
    : comm_(comm),
      deck_(deck),
      build_(build),
      log_(log),
      directory_(deck.text("run.directory")),
      objective_(std::move(objective)),
      plan_(layer_settings(deck, objective_->layers())),
      schedule_(make_schedule(deck)) {
  for (auto const& w : plan_.warnings) log_.warning(w);
  optimizer_ = std::make_unique<Ef21Muon<T>>(exec_, comm, objective_->layers(), plan_.settings, optimizer_settings(deck));
  optimizer_->register_state(registry_);
  auto const& plan = optimizer_->exchange().plan();
  objective_->register_state(registry_, plan.first_worker(comm.rank()), plan.worker_count(comm.rank()));
  saved_.register_state(registry_, comm.rank());
}

template <class T>
Training<T>::~Training() = default;

template <class T>
void Training<T>::start() {
  optimizer_->initialize(*objective_);
}

template <class T>
void Training<T>::refuse_another_deck(Restored const& restored) const {
  auto const before = Deck::from_text(restored.info.deck, restored.path);
  if (auto const lines = deck_.disagreements(before); !lines.empty())
    throw InputError(fmt::format(
        "the checkpoint {} belongs to another deck:\n{}\nCure: restart with the deck of the checkpoint (leave out -i), "
        "or start a new run in another folder",
        restored.path, fmt::join(lines, "\n")));
}

template <class T>
void Training<T>::restart(std::string const& which) {
  checkpoints_ = std::make_unique<Checkpoints>(comm_, file("checkpoints"), deck_.integer("checkpoint.keep"));
  refuse_another_deck(checkpoints_->find(which));  // names the key, where the state would only name shapes
  auto const restored = checkpoints_->load(which, registry_);
  for (auto const& w : restored.warnings) log_.warning(w);
  refuse_another_deck(restored);
  double const tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  double const off = optimizer_->check_invariants(tolerance);
  totals_ = saved_;
  totals_.from_provenance(restored.info.provenance);
  committed_ = totals_.steps;
  last_path_ = restored.path;
  resumed_ = true;
  log_.line(fmt::format("restarted from {}: step {} of {}, mean G_j = G within {:.1e}, W equal on all ranks", restored.path,
                        totals_.steps, deck_.integer64("run.steps"), off));
  if (auto const here = arithmetic_fingerprint(build_); here != restored.info.fingerprint)
    log_.warning(
        "the checkpoint was written under another arithmetic: the run continues correctly, but not bit for bit as before\n  "
        "then: " +
        restored.info.fingerprint + "\n  now:  " + here);
}

template <class T>
std::string Training<T>::save(WallClock& clock) {
  clock.save_begins();
  saved_ = now();
  if (auto const bad = first_not_finite(comm_, registry_); !bad.empty())
    throw NumericalError(
        fmt::format("{} is not finite at step {}: no checkpoint is written, earlier ones are kept; a smaller "
                    "radius or a gentler compressor is the usual cure",
                    bad, totals_.steps));
  CheckpointInfo info;
  info.step = totals_.steps;
  info.workers = static_cast<std::uint64_t>(deck_.integer("optimizer.workers"));
  info.seed = static_cast<std::uint64_t>(deck_.integer64("run.seed"));
  info.precision = sizeof(T) == 4 ? "float32" : "float64";
  info.deck = deck_.resolved();
  info.version = build_.version;
  info.git_hash = build_.git_hash;
  info.fingerprint = arithmetic_fingerprint(build_);
  info.provenance["ranks"] = std::to_string(comm_.size());
  info.provenance["topology"] = "sharded";
  info.provenance["banner"] = banner(build_, comm_);
  saved_.to_provenance(info.provenance);
  last_path_ = checkpoints_->save(info, registry_);
  committed_ = totals_.steps;
  for (auto const& c : checkpoints_->complaints()) log_.warning(c);
  log_.line(fmt::format("saved {} in {:.2f} s", last_path_, clock.save_ends()));
  return last_path_;
}

template <class T>
double Training<T>::validate() {
  if (!objective_->has_validation()) return std::numeric_limits<double>::quiet_NaN();
  auto const pieces = static_cast<std::size_t>(objective_->validation_pieces());
  std::vector<double> sums(2 * pieces, 0.0);
  auto const W = optimizer_->W();
  for (std::size_t p = static_cast<std::size_t>(comm_.rank()); p < pieces; p += static_cast<std::size_t>(comm_.size())) {
    auto const [loss, weight] = objective_->validate_piece(exec_, W, static_cast<int>(p));
    sums[2 * p] = loss;
    sums[2 * p + 1] = weight;
  }
  comm_.sum_each(sums);
  double loss = 0, weight = 0;
  for (std::size_t p = 0; p < pieces; ++p) loss += sums[2 * p], weight += sums[2 * p + 1];
  return loss / weight;
}

template <class T>
void Training<T>::one_step(Progress& progress, Metrics* metrics, Metrics* layer_metrics) {
  auto const every = deck_.integer("run.log_every");
  std::uint64_t const k = totals_.steps;
  auto const steps = static_cast<std::uint64_t>(deck_.integer64("run.steps"));
  bool const measure = every > 0 && ((k + 1) % static_cast<std::uint64_t>(every) == 0 || k + 1 == steps || k == 0);
  double const multiplier = schedule_.multiplier(k);
  double const begin = steady_seconds();
  auto const report = optimizer_->step(*objective_, k, multiplier, measure);
  totals_.steps = k + 1;
  totals_.samples += objective_->samples_per_gradient() * static_cast<std::uint64_t>(deck_.integer("optimizer.workers"));
  double const seconds = steady_seconds() - begin;
  phases_ += report.times;
  seconds_ += seconds;

  Totals const t = now();
  auto const i64 = [](std::uint64_t v) { return static_cast<std::int64_t>(v); };
  using Value = Metrics::Value;  // named: nvcc does not pass bare numbers on as variants
  if (metrics)
    metrics->row(i64(t.steps), {Value(report.loss), Value(multiplier), Value(i64(t.bytes_up)), Value(i64(t.bytes_down)),
                                Value(i64(t.wire_up)), Value(i64(t.wire_down)), Value(i64(t.samples)), Value(seconds)});
  if (layer_metrics)
    for (std::size_t i = 0; i < report.layers.size(); ++i) {
      auto const& r = report.layers[i];
      layer_metrics->row(i64(t.steps),
                         {Value(i64(i)), Value(r.alpha_up), Value(r.lag), Value(r.alpha_down), Value(r.gap), Value(r.gradient)});
    }
  if (comm_.rank() == 0) progress.step({i64(t.steps), report.loss, seconds, i64(t.bytes_up), i64(t.bytes_down)});
}

template <class T>
void Training<T>::report_validation(double loss) const {
  if (std::isnan(loss)) return;
  log_.line(fmt::format("validation loss {:.4f} at step {}", loss, totals_.steps));
  if (comm_.rank() != 0) return;
  Metrics::resume(file("validation.csv"), validation_columns, static_cast<std::int64_t>(totals_.steps) - 1)
      .row(static_cast<std::int64_t>(totals_.steps), {Metrics::Value(loss)});
}

template <class T>
void Training<T>::open_folder() {
  if (!checkpoints_) checkpoints_ = std::make_unique<Checkpoints>(comm_, file("checkpoints"), deck_.integer("checkpoint.keep"));
  Ballot ballot(comm_);
  if (comm_.rank() == 0 && !resumed_)
    ballot.attempt([&] {
      if (auto const steps = folder::steps(checkpoints_->folder()); !steps.empty())
        throw InputError(
            fmt::format("{} holds an earlier run, with a checkpoint at step {}; continue it with -r, choose another run folder "
                        "with -d, or move it away",
                        directory_, steps.front()));
    });
  ballot.vote("starting a run");
  checkpoints_->prepare();
  for (auto const& f : checkpoints_->removed()) log_.line("removed the uncommitted file " + f);
}

template <class T>
Exit Training<T>::run(std::optional<double> time_limit) {
  open_folder();
  std::unique_ptr<Metrics> metrics, layer_metrics;
  Ballot ballot(comm_);
  if (comm_.rank() == 0)
    ballot.attempt([&] {
      auto const done = static_cast<std::int64_t>(totals_.steps);
      auto const open = [&](char const* name, std::vector<std::string> const& columns) {
        return std::make_unique<Metrics>(resumed_ ? Metrics::resume(file(name), columns, done)
                                                  : Metrics::create(file(name), columns));
      };
      metrics = open("metrics.csv", metric_columns);
      layer_metrics = open("layers.csv", layer_columns);
      open("validation.csv", validation_columns);
    });
  ballot.vote("opening the run folder " + directory_);

  Signals signals;
  if (time_limit) *time_limit -= steady_seconds() - born_;
  WallClock clock(time_limit);
  StopRules rules(comm_, signals, clock, log_, directory_);
  auto const steps = static_cast<std::uint64_t>(deck_.integer64("run.steps"));
  Progress progress(deck_.integer64("run.steps"), deck_.integer("run.log_every"));
  auto const every = static_cast<std::uint64_t>(deck_.integer64("checkpoint.every"));
  auto const validate_every = static_cast<std::uint64_t>(deck_.integer64("run.validate_every"));

  bool stopped = false;
  while (totals_.steps < steps && !stopped) {
    clock.step_begins();
    one_step(progress, metrics.get(), layer_metrics.get());
    std::uint64_t const done = totals_.steps;
    if (validate_every > 0 && done % validate_every == 0 && done < steps) {
      progress.finish();
      report_validation(validate());
    }
    clock.step_ends();

    auto const decision = rules.decide();
    stopped = decision.stop && done < steps;
    bool const due = every > 0 && done % every == 0;
    if (!decision.reason.empty() || due) progress.finish();
    if (!decision.reason.empty())
      log_.line(fmt::format("{} at step {}: {}", decision.reason, done, decision.stop ? "saving and stopping" : "saving"));
    if (decision.save || decision.stop || due) save(clock);
    if (decision.save || decision.stop) rules.acted();
  }
  progress.finish();
  if (committed_ != totals_.steps) save(clock);

  double loss = std::numeric_limits<double>::quiet_NaN();
  if (!stopped) report_validation(loss = validate());
  write_summary(loss, !stopped);
  return stopped ? Exit::stopped : Exit::finished;
}

template class Training<float>;
template class Training<double>;

}  // namespace kaon
