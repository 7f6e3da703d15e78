#include <kaon/run/loop/training.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/exchange/device_messages.hpp>
#include <kaon/files/part.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/objective/registry.hpp>
#include <kaon/run/records/metrics.hpp>
#include <kaon/run/records/progress.hpp>
#include <kaon/run/records/tables.hpp>
#include <kaon/run/start/choose_topology.hpp>
#include <kaon/run/start/idle_ranks.hpp>
#include <kaon/run/start/meant.hpp>
#include <kaon/run/start/place.hpp>
#include <kaon/run/start/prepare.hpp>
#include <kaon/run/start/same_problem.hpp>
#include <kaon/run/start/take_weights.hpp>
#include <kaon/run/stop/signals.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <new>
#include <span>
#include <utility>

namespace kaon {

namespace {

std::int64_t i64(std::uint64_t v) { return static_cast<std::int64_t>(v); }
using Value = Metrics::Value;  // named: nvcc does not pass bare numbers on as variants

}  // namespace

template <class T>
struct Training<T>::Outputs {
  Progress progress;
  StopRules& rules;
  std::unique_ptr<Metrics> metrics, layers, groups, validation;  // rank 0's
};

template <class T>
Training<T>::Training(Communicator const& comm, Deck const& deck, Build const& build, Log const& log)
    : Training(Prepared{}, comm, deck, build, log, make_objective<T>(prepare_run(deck, comm, build, log))) {}

template <class T>
Training<T>::Training(Communicator const& comm, Deck const& deck, Build const& build, Log const& log,
                      std::unique_ptr<Objective<T>> objective)
    : Training(Prepared{}, comm, prepare_run(deck, comm, build, log), build, log, std::move(objective)) {}

template <class T>
Training<T>::Training(Prepared, Communicator const& comm, Deck const& deck, Build const& build, Log const& log,
                      std::unique_ptr<Objective<T>> objective)
    : comm_(comm),
      deck_(deck),
      build_(build),
      log_(log),
      directory_(deck.text("run.directory")),
      objective_(std::move(objective)),
      plan_(layer_settings(deck, objective_->layers())),
      schedule_(make_schedule(deck)),
      folder_(comm, directory_, build, log) {
  for (auto const& w : plan_.warnings) log_.warning(w);
  for (auto const& w : check_meant<T>(deck_, schedule_, plan_, objective_->layers())) log_.warning(w);
  if (deck.flag("checkpoint.keep_best")) {
    if (!objective_->has_validation())
      throw UsageError(deck.origin() +
                       ": checkpoint.keep_best = yes needs a validation loss, and this objective or its data have none");
    if (deck.integer("run.validate_every") == 0)
      log_.warning("checkpoint.keep_best = yes sees the validation at the end alone: run.validate_every is 0");
  }
  auto settings = optimizer_settings(deck);
  double const patience = deck.real("exchange.patience");
  set_wait_limits({patience > 0 ? std::min(60.0, patience / 2) : 60.0, patience}, [me = comm.rank()](std::string const& text) {
    std::fprintf(stderr, "kaon: warning: rank %d has been %s\n", me, text.c_str());
  });
  problem_ = std::make_unique<SameProblem>(comm, log, objective_->contents());
  problem_->settle();
  auto const messages = choose_message_memory(comm, device_messages_named(deck.text("exchange.device_buffers")));
  settings.messages = messages.memory;
  log_.line(messages.line);
  settings.topology = choose_topology<T>(deck, comm, log, *objective_, plan_.settings, settings);
  optimizer_ =
      std::make_unique<Engine<T>>(exec_, comm, objective_->layers(), plan_.settings, settings, objective_->micro_batches());
  auto const* kind = find_objective(deck.text("objective.kind"));
  auto const micro_batches_key = kind ? kind->micro_batches : std::string();
  if (auto const w = idle_ranks_warning(optimizer_->exchange().plan(), micro_batches_key); !w.empty()) log_.warning(w);
  optimizer_->register_state(registry_);
  auto const leads = optimizer_->exchange().plan().leads_at(comm.rank());
  objective_->register_state(registry_, leads.first, leads.count);
  totals_.groups.resize(deck.groups().size());
  saved_.groups.resize(deck.groups().size());
  saved_.register_state(registry_, comm.rank());
}

template <class T>
Training<T>::~Training() = default;

template <class T>
void Training<T>::use_schedule(Schedule::Multiplier multiplier) {
  schedule_ = Schedule(std::move(multiplier), schedule_.adaptive());
  for (auto const& w : check_meant<T>(deck_, schedule_, plan_, objective_->layers())) log_.warning(w);
}

template <class T>
void Training<T>::start() {
  auto const init = deck_.text("optimizer.init");
  if (init.empty()) return optimizer_->initialize(*objective_);
  int converted = 0;
  optimizer_->initialize([&](Space const& exec, typename Objective<T>::Point const& X) {
    auto taken = take_weights<T>(comm_, init, deck_.where("optimizer.init"), objective_->layers(), exec, X);
    weights_ = std::move(taken.from);
    converted = taken.converted;
  });
  log_.line(fmt::format("weights of {}: step {}{}{}", init, weights_->step,
                        weights_->run.empty() ? "" : " of run " + weights_->run,
                        converted > 0 ? fmt::format(", {} layers converted to {}", converted, deck_.text("run.precision")) : ""));
}

template <class T>
void Training<T>::refuse_another_deck(Restored const& restored) const {
  auto const before = Deck::from_checkpoint(restored.info.deck, restored.path);
  if (auto const lines = deck_.disagreements(before); !lines.empty())
    throw InputError(fmt::format(
        "the checkpoint {} belongs to another deck:\n{}\nCure: restart with the deck of the checkpoint (leave out -i), "
        "or start a new run in another folder",
        restored.path, fmt::join(lines, "\n")));
  auto const& local = optimizer_->local();
  auto const steps = before.integer64("run.steps");
  if (local.in_round(restored.info.step) != 0 && restored.info.step == static_cast<std::uint64_t>(steps) &&
      deck_.integer64("run.steps") > steps)
    throw InputError(fmt::format(
        "the run of {} has ended at step {}, with a round of local steps that is shorter than the others: more steps would be "
        "another run. Cure: start one with optimizer.init = this checkpoint",
        restored.path, steps));
}

template <class T>
void Training<T>::restart(std::string const& which) {
  double const begin = steady_seconds();
  folder_.hold(false);
  bool const newest = which == "latest";
  auto const from = newest ? latest_in(directory_, comm_) : which;
  checkpoints_ = std::make_unique<Checkpoints>(comm_, file("checkpoints"), retention(deck_));
  auto const found = checkpoints_->find(from);
  refuse_another_deck(found);  // names the key, where the state would only name shapes
  folder_.judge(found, newest);
  problem_->meet(found.path);
  auto const restored = checkpoints_->load(from, registry_);
  for (auto const& w : restored.warnings) log_.warning(w);
  problem_->report();
  refuse_another_deck(restored);
  beginning_ = folder_.judge(restored, newest);
  double const tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  double const off = optimizer_->check_invariants(tolerance);
  totals_ = saved_;
  totals_.groups.assign(deck_.groups().size(), {});
  totals_.from_provenance(restored.info.provenance);
  samples_before_ = totals_.samples;
  restored_ = restored;
  restore_seconds_ = steady_seconds() - begin;
  resumed_ = true;
  auto const held = optimizer_->invariants();
  log_.line(fmt::format("restarted from {}: step {} of {}, {}W equal on all ranks", restored.path, totals_.steps,
                        deck_.integer64("run.steps"), held.empty() ? "" : fmt::format("{} within {:.1e}, ", held, off)));
  warn_if_done();
  if (auto const here = arithmetic_fingerprint(build_); here != restored.info.fingerprint)
    log_.warning(
        "the checkpoint was written under another arithmetic: the run continues correctly, but not bit for bit as before\n  "
        "then: " +
        restored.info.fingerprint + "\n  now:  " + here);
}

template <class T>
void Training<T>::restart_or_start() {
  folder_.hold(true);
  if (folder_.begun()) return restart("latest");
  log_.line(fmt::format("nothing is committed in {} yet: the run begins", directory_));
  start();
}

template <class T>
double Training<T>::validate() {
  if (!objective_->has_validation()) return std::numeric_limits<double>::quiet_NaN();
  InPhase const phase(optimizer_->timer(), Phase::validate);
  Doing const doing(fmt::format("validating at step {}", totals_.steps));
  auto const pieces = static_cast<std::size_t>(objective_->validation_pieces());
  std::vector<double> sums(2 * pieces, 0.0);
  auto const W = optimizer_->W();
  for (std::size_t p = static_cast<std::size_t>(comm_.rank()); p < pieces; p += static_cast<std::size_t>(comm_.size())) {
    auto const [loss, weight] = objective_->validate_piece(exec_, W, static_cast<int>(p));
    sums[2 * p] = loss;
    sums[2 * p + 1] = weight;
  }
  comm_.sum_each(sums);
  problem_->confirm(saver_ ? saver_->path() : std::string());
  double loss = 0, weight = 0;
  for (std::size_t p = 0; p < pieces; ++p) loss += sums[2 * p], weight += sums[2 * p + 1];
  if (!std::isfinite(loss / weight))
    throw NumericalError(
        fmt::format("the validation loss is {} at step {}; a smaller radius or a gentler compressor is the usual cure",
                    loss / weight, totals_.steps));
  return loss / weight;
}

template <class T>
std::vector<ByteCount> Training<T>::bytes_by_group() const {
  std::vector<ByteCount> groups(deck_.groups().size());
  for (std::size_t i = 0; i < plan_.group_index.size(); ++i)
    groups[plan_.group_index[i]] += optimizer_->exchange().bytes(static_cast<int>(i));
  return groups;
}

// Of rows that were written without.
template <class T>
void Training<T>::know_losses(std::vector<StepLoss> const& losses) {
  for (auto const& l : losses)
    for (auto& row : rows_)
      if (row.step == l.step + 1) row.loss = l.loss;
}

template <class T>
void Training<T>::complete_rows(Outputs& out, std::span<double const> bytes_of_all) {
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    auto const& row = rows_[k];
    Totals t = totals_;
    t.bytes += from_numbers(bytes_of_all.subspan(k * byte_counts, byte_counts));
    if (out.metrics) {
      std::vector<Value> cells{Value(row.loss), Value(row.multiplier)};
      append_bytes(cells, t.bytes);
      cells.push_back(Value(i64(row.samples)));
      cells.push_back(Value(row.seconds));
      out.metrics->row(i64(row.step), cells);
    }
    if (comm_.rank() == 0) out.progress.step({i64(row.step), row.loss, row.seconds, i64(t.bytes.up), i64(t.bytes.down)});
  }
  rows_.clear();
}

template <class T>
void Training<T>::flush_rows(Outputs& out) {
  if (rows_.empty()) return;
  InPhase const phase(optimizer_->timer(), Phase::agree);
  know_losses(optimizer_->collect_losses());
  std::vector<double> numbers(rows_.size() * byte_counts);
  for (std::size_t k = 0; k < rows_.size(); ++k)
    to_numbers(rows_[k].mine, std::span<double>(numbers).subspan(k * byte_counts, byte_counts));
  comm_.sum_each(numbers);
  complete_rows(out, numbers);
}

/// Whether the step, counted from 0, is to tell of the layers: it is logged, or ends a round in which one is.
template <class T>
bool Training<T>::measures(std::uint64_t step) const {
  auto const every = static_cast<std::uint64_t>(deck_.integer64("run.log_every"));
  auto const& local = optimizer_->local();
  if (every == 0 || !local.ends_round(step)) return false;
  std::uint64_t const first = step - local.in_round(step);
  return (step + 1) / every > first / every || step + 1 == static_cast<std::uint64_t>(deck_.integer64("run.steps")) || first == 0;
}

template <class T>
void Training<T>::write_groups(Outputs& out) {
  Totals const t = now();
  if (!out.groups) return;
  for (std::size_t g = 0; g < t.groups.size(); ++g) {
    std::vector<Value> row{Value(i64(g)), Value(deck_.groups()[g])};
    append_bytes(row, t.groups[g]);
    out.groups->row(i64(t.steps), row);
  }
}

template <class T>
Decision Training<T>::one_step(Outputs& out) {
  std::uint64_t const k = totals_.steps;
  bool const measure = measures(k);
  double const multiplier = schedule_.multiplier(k);
  double const begin = steady_seconds();
  auto const report = optimizer_->step(*objective_, k, multiplier, measure);
  totals_.steps = k + 1;
  totals_.samples += objective_->samples_per_gradient() * static_cast<std::uint64_t>(deck_.integer("optimizer.workers"));
  double const seconds = steady_seconds() - begin;
  seconds_ += seconds;

  folder_.require_held();
  if (report.still > 0) warn_of_still_layers(k);

  std::span<double const> const agreed(report.agreed);
  if (report.ends_round) {
    know_losses(report.losses);
    complete_rows(out, agreed.subspan(StopRules::votes));
  }
  rows_.push_back({totals_.steps, totals_.samples, report.loss, multiplier, seconds, optimizer_->exchange().bytes()});
  last_row_ = totals_.steps;
  if (!report.ends_round) return {};
  if (measure) {
    flush_rows(out);
    write_groups(out);
  }
  if (out.layers)
    for (std::size_t i = 0; i < report.layers.size(); ++i) {
      std::vector<Value> row{Value(i64(i)), Value(optimizer_->layers()[i].name)};
      for (auto const& column : optimizer_->columns()) {
        auto const value = report.layers[i].find(column);
        row.push_back(value ? Value(*value) : Value(std::string()));
      }
      out.layers->row(i64(totals_.steps), row);
    }
  return out.rules.tally(agreed.first(StopRules::votes));
}

// Said once: a run that has come to rest says so at every step.
template <class T>
void Training<T>::warn_of_still_layers(std::uint64_t step) {
  if (still_said_) return;
  auto const names = optimizer_->still_layers();
  if (names.empty()) return;
  still_said_ = true;
  log_.warning(
      fmt::format("step {}: no weight changed in layer {}, although its oracle named a direction: the step (radius x "
                  "schedule x ball) is below the rounding of the weights in precision {}",
                  step, fmt::join(names, ", "), deck_.text("run.precision")));
}

template <class T>
std::unique_ptr<Metrics> Training<T>::open_rows(char const* name, std::vector<std::string> const& columns, std::int64_t done,
                                                std::vector<csv::Older> const& older) const {
  auto const warn = [this](std::string const& text) { log_.warning(text); };
  return std::make_unique<Metrics>(resumed_ ? Metrics::resume(file(name), columns, done, warn, older)
                                            : Metrics::create(file(name), columns, warn));
}

template <class T>
void Training<T>::report_validation(Outputs& out, double loss) const {
  if (std::isnan(loss)) return;
  log_.line(fmt::format("validation loss {:.4f} at step {}", loss, totals_.steps));
  if (!out.validation) return;
  auto const step = i64(totals_.steps);
  out.validation->sync();
  if (auto const s = out.validation->steps();
      s.count > 0 && s.last >= step) {  // a start before this one has seen it, and done no step since
    out.validation.reset();             // else it would take the new file for another program's
    out.validation = open_rows("validation.csv", {"loss"}, step - 1, {});
  }
  out.validation->row(step, {Value(loss)});
  out.validation->sync();
}

template <class T>
void Training<T>::warn_if_done() const {
  auto const asked = static_cast<std::uint64_t>(deck_.integer64("run.steps"));
  if (totals_.steps > asked)
    log_.warning(
        fmt::format("{} steps are done already, and run.steps = {} asks for fewer: nothing is left to do, and nothing is "
                    "undone; -r with an older checkpoint goes back",
                    totals_.steps, asked));
}

template <class T>
void Training<T>::check_folder() {
  folder_.hold(true);
  if (!resumed_) folder_.require_no_run();
  Ballot ballot(comm_);
  if (comm_.rank() == 0)
    ballot.attempt([&] {
      for (auto const& t : run_tables(optimizer_->layers(), optimizer_->columns(), deck_.groups())) {
        files::require_replaceable(file(t.name));
        Metrics::check(file(t.name), t.columns, !resumed_, t.older);
      }
      for (auto const* name : {"deck.resolved", "summary.json", RunIdentity::file}) files::require_replaceable(file(name));
    });
  ballot.vote("looking at the files in " + directory_);
  if (!checkpoints_) checkpoints_ = std::make_unique<Checkpoints>(comm_, file("checkpoints"), retention(deck_));
  require_room();
}

/// Now, rather than after the steps that a checkpoint was to save. Where a run may go on without one it may begin without.
template <class T>
void Training<T>::require_room() {
  bool const begins = !resumed_ || beginning_ == Beginning::from_another;
  if (!begins && totals_.steps >= static_cast<std::uint64_t>(deck_.integer64("run.steps"))) return;
  try {
    checkpoints_->require_room(describe(), registry_);
  } catch (AgreedIoError const& e) {
    if (begins || deck_.text("checkpoint.on_failure") != "continue") throw;
    log_.warning(e.what());
  }
}

template <class T>
void Training<T>::open_folder() {
  check_folder();
  if (comm_.rank() == 0 && resumed_) taken_ = earlier_ = earlier_starts(file("summary.json"));
  folder_.begin(beginning_, restored_, weights_);
  running_ = true;
  Ballot ballot(comm_);
  if (comm_.rank() == 0) {
    ballot.attempt([&] { write_state("running", {}); });
    checkpoints_->set_guard(folder_.guard());
  }
  ballot.vote("writing the summary");
  checkpoints_->prepare();
  for (auto const& f : checkpoints_->removed()) log_.line("removed the uncommitted file " + f);
}

/// Seconds that a stop signal may wait: run.stop_patience, or longer where steps take long, and two saves; before the first
/// step has ended nobody knows how long one takes.
template <class T>
double Training<T>::stop_allowance(WallClock const& clock) const {
  double const patience = deck_.real("run.stop_patience");
  if (patience <= 0) return 0;
  return std::max(longest_step_ > 0 ? patience : 10 * patience, 4 * longest_step_) + 2 * clock.save_seconds();
}

template <class T>
Exit Training<T>::run(std::optional<double> time_limit, Signals* early) {
  std::optional<Signals> own;
  try {
    auto const exit = run_to_end(time_limit, early ? *early : own.emplace());
    folder_.release();
    return exit;
  } catch (Error const& e) {
    write_failure(e.code());
    throw;
  } catch (std::bad_alloc const&) {
    write_failure(Exit::io);
    throw;
  } catch (std::exception const&) {
    write_failure(Exit::numerical);
    throw;
  }
}

/// Local. As long as the folder is this run's, it says how it ended; another error must not hide the first.
template <class T>
void Training<T>::write_failure(Exit code) const {
  if (!running_ || comm_.rank() != 0) return;
  try {
    folder_.require_held(true);
    write_state("failed", static_cast<int>(code));
  } catch (Error const&) {
  }
}

template <class T>
Exit Training<T>::run_to_end(std::optional<double> time_limit, Signals& signals) {
  open_folder();
  if (time_limit) *time_limit -= steady_seconds() - born_;
  WallClock clock(time_limit);
  signals.allow(stop_allowance(clock));
  StopRules rules(comm_, signals, clock, log_, directory_);
  Outputs out{Progress(deck_.integer64("run.steps"), deck_.integer("run.log_every")), rules, {}, {}, {}, {}};
  Ballot ballot(comm_);
  if (comm_.rank() == 0)
    ballot.attempt([&] {
      auto const done = static_cast<std::int64_t>(totals_.steps);
      files::replace(file("deck.resolved"), deck_.resolved());
      std::unique_ptr<Metrics>* const rows[] = {&out.metrics, &out.layers, &out.groups, &out.validation};
      auto const all = run_tables(optimizer_->layers(), optimizer_->columns(), deck_.groups());
      for (std::size_t i = 0; i < all.size(); ++i) *rows[i] = open_rows(all[i].name, all[i].columns, done, all[i].older);
      if (auto const there = out.metrics->steps().count; there == 0 && done > 0)
        log_.line(fmt::format("{} begins at step {}", file("metrics.csv"), done + 1));
      else if (there < done)
        log_.warning(fmt::format("{} has rows of {} of the {} steps done; those that it lacks are not made again",
                                 file("metrics.csv"), there, done));
    });
  ballot.vote("opening the run folder " + directory_);
  if (!earlier_.trouble.empty())
    log_.warning("the summary.json of the starts before cannot be read, and their times are not counted: " + earlier_.trouble);

  auto const most_rows = std::max<std::size_t>(optimizer_->local().steps, 1);
  rows_.reserve(most_rows);
  optimizer_->agree_on(StopRules::votes + most_rows * byte_counts, [&](std::span<double> mine) {
    rules.cast(mine.first(StopRules::votes));
    for (std::size_t k = 0; k < rows_.size(); ++k)
      to_numbers(rows_[k].mine, mine.subspan(StopRules::votes + k * byte_counts, byte_counts));
  });
  auto const steps = static_cast<std::uint64_t>(deck_.integer64("run.steps"));
  auto const validate_every = static_cast<std::uint64_t>(deck_.integer64("run.validate_every"));
  struct Saving {  // a checkpoint that is under way when an error ends the run is waited for, and the clock must be there still
    Training& run;
    ~Saving() { run.saver_.reset(); }
  } const saving{*this};
  begin_saving(clock, [&out] {  // a power loss after a commit then loses no row of a step that is not done again
    for (auto* rows : {out.metrics.get(), out.layers.get(), out.groups.get(), out.validation.get()})
      if (rows) rows->sync();
  });
  rules.ask([&] { return policy_->due_now(); }, [&] { return saver_->written(); });

  if (beginning_ == Beginning::from_another || (!resumed_ && steps > 0))
    save(true);  // a run that cannot save ends here, and a job that dies has where to go on from
  bool stopped = false, asked = false, improved = false, within = false;
  double begin = 0;
  while (totals_.steps < steps && !stopped) {
    if (!within) {
      clock.step_begins();
      begin = steady_seconds();
    }
    signals.doing("step", totals_.steps + 1);
    auto const decision = one_step(out);
    std::uint64_t const done = totals_.steps;
    bool const last = done == steps;
    within = !optimizer_->local().ends_round(done - 1);  // the ranks decide when a round ends
    if (decision.written) collect(false);
    improved = false;
    if (validate_every > 0 && done % validate_every == 0 && !last) {
      flush_rows(out);
      out.progress.finish();
      clock.validation_begins();
      double const loss = validate();
      report_validation(out, loss);
      clock.validation_ends();
      improved = is_best(loss);
    }
    if (!within) {
      clock.step_ends();
      longest_step_ = std::max(longest_step_, steady_seconds() - begin);
      signals.allow(stop_allowance(clock));
    }

    stopped = decision.stop && !last;
    asked = decision.save;
    bool const due = !last && !stopped && (decision.save || decision.due || improved || policy_->due_at(done));
    if (asked || due) {
      flush_rows(out);
      out.progress.finish();
    }
    if (decision.stop) signals.served();
    if (due) signals.doing("the save of step", done);
    if (asked)
      log_.line(fmt::format("{} at step {}: {}", decision.reason, done, decision.stop ? "saving and stopping" : "saving"));
    if (!due) continue;
    save(false);
    if (asked) rules.acted();
    if (saver_->busy()) continue;
    // A save takes long, and what came meanwhile is served while it is fresh: to stop now takes no other one.
    if (auto const after = rules.decide(); after.save) {
      log_.line(fmt::format("{} during the save of step {}: {}", after.reason, done, after.stop ? "stopping" : "it is saved"));
      stopped = after.stop;
      rules.acted();
    }
  }
  flush_rows(out);
  out.progress.finish();
  optimizer_->agree_on(0, {});
  // What a step says of the one before.
  if (last_row_ > 0 && optimizer_->settle() > 0) warn_of_still_layers(totals_.steps);

  signals.doing("the end of the run at step", totals_.steps);
  signals.served();
  double loss = std::numeric_limits<double>::quiet_NaN();
  bool const best_kept = deck_.flag("checkpoint.keep_best");
  if (!stopped && best_kept) {  // the last checkpoint is to know whether it is the best
    report_validation(out, loss = validate());
    improved = is_best(loss);
  }
  collect(false);
  if (saver_->step() != totals_.steps || improved) save(true);
  if (asked) rules.acted();
  if (!stopped && !best_kept) report_validation(out, loss = validate());
  if (auto const line = saver_->account(); !line.empty()) log_.line(line);
  signals.served();
  write_summary(loss, !stopped);
  signals.settled();
  return stopped ? Exit::stopped : Exit::finished;
}

template class Training<float>;
template class Training<double>;

}  // namespace kaon
