// When and how a run saves its state.
#include <kaon/run/loop/training.hpp>
#include <kaon/run/saving/beside.hpp>
#include <kaon/run/start/same_problem.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/checkpoint/folder.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace kaon {

namespace {

/// Until a save has been measured: the whole state at this speed, which any file system of a cluster should reach.
constexpr double expected_bytes_per_second = 200e6;

double expected_seconds(Registry const& registry) {
  double bytes = 0;
  for (auto const& f : registry) {
    double n = static_cast<double>(size_of(f.type));
    for (auto const s : f.shape) n *= static_cast<double>(s);
    bytes += n;
  }
  return bytes / expected_bytes_per_second;
}

double recorded_seconds(CheckpointInfo const& info) {
  auto const it = info.provenance.find("save_seconds");
  return it == info.provenance.end() ? 0 : std::strtod(it->second.c_str(), nullptr);
}

}  // namespace

template <class T>
void Training<T>::begin_saving(WallClock& clock, std::function<void()> sync_rows) {
  double const expected = expected_seconds(registry_);
  // A save writes and reads what a restart has read: it takes that long at least, and as long as it took before.
  clock.expect_save(std::max({1.0, expected, restore_seconds_, restored_ ? recorded_seconds(restored_->info) : 0}));
  policy_ = std::make_unique<SavePolicy>(save_settings(deck_), std::max(0.1, expected));
  Saver::Settings settings;
  settings.beside = writes_beside(deck_.text("checkpoint.asynchronous"), Snapshot::bytes_of(registry_), comm_, log_);
  settings.go_on = deck_.text("checkpoint.on_failure") == "continue";
  settings.before = std::move(sync_rows);
  saver_ = std::make_unique<Saver>(*checkpoints_, clock, *policy_, log_, settings);
  if (!restored_ || beginning_ == Beginning::from_another) return;
  saver_->resumed_from(totals_.steps, restored_->path);
  kept_ = best_in(restored_->info.provenance);
  if (kept_ && deck_.flag("checkpoint.keep_best")) {
    Ballot ballot(comm_);
    bool gone = false;
    if (comm_.rank() == 0)
      ballot.attempt([&] {
        namespace fs = std::filesystem;
        std::error_code ignored;
        auto const link = checkpoints_->folder() + "/best", name = folder::step_name(kept_->step);
        gone = !fs::exists(checkpoints_->folder() + "/" + name, ignored);
        if (!gone && !fs::exists(link, ignored)) folder::repoint(link, name);  // in a copy of a folder, say
      });
    ballot.vote("looking for the best checkpoint");
    if (comm_.max(static_cast<std::int64_t>(gone)) != 0) {
      log_.line(fmt::format("the best validation so far, {:.4f} at step {}, has no checkpoint here: the search begins anew",
                            kept_->loss, kept_->step));
      kept_.reset();
    }
  }
  best_ = kept_;
}

template <class T>
CheckpointInfo Training<T>::describe() {
  CheckpointInfo info;
  info.step = totals_.steps;
  info.workers = static_cast<std::uint64_t>(deck_.integer("optimizer.workers"));
  info.seed = static_cast<std::uint64_t>(deck_.integer64("run.seed"));
  info.precision = sizeof(T) == 4 ? "float32" : "float64";
  info.deck = deck_.resolved();
  info.method = fmt::format("{}", fmt::join(optimizer_->methods(), ", "));
  if (auto const* const contents = objective_->contents()) info.problem = fmt::format("{:016x}", contents->fingerprint());
  info.version = build_.version;
  info.git_hash = build_.git_hash;
  info.fingerprint = arithmetic_fingerprint(build_);
  info.provenance["ranks"] = std::to_string(comm_.size());
  info.provenance["messages"] = optimizer_->exchange().memory() == MessageMemory::device ? "device" : "host";
  info.provenance["topology"] = name_of(optimizer_->exchange().plan().topology());
  info.provenance["banner"] = banner(build_, comm_);
  saved_.to_provenance(info.provenance);
  if (saver_) info.provenance["save_seconds"] = fmt::format("{}", saver_->save_seconds());
  to_provenance(best_, info.provenance);
  to_provenance(folder_.identity(), info.provenance);
  if (restored_)
    if (auto const it = restored_->info.provenance.find(resized_key); it != restored_->info.provenance.end())
      info.provenance.insert(*it);
  return info;
}

template <class T>
void Training<T>::save(bool last) {
  collect(true);
  note(save_now(last));
}

template <class T>
Saver::Outcome Training<T>::save_now(bool last) {
  InPhase const phase(optimizer_->timer(), Phase::save);
  problem_->confirm(saver_->path());  // a checkpoint never claims what was not trained on
  optimizer_->finish();
  saved_ = now();
  bool const replicated = optimizer_->exchange().plan().topology() == Topology::replicated;
  bool const everywhere = optimizer_->steps_everywhere();
  if ((replicated || everywhere) && !optimizer_->same_model())
    throw NumericalError(
        fmt::format("W differs between the ranks at step {}: {} must compute the same bits, so every rank needs the same CPU or "
                    "device model and libraries; no checkpoint is written. Cure: {}",
                    totals_.steps, everywhere ? "ranks that step W by themselves (method dion)" : "replicated servers",
                    everywhere ? "ranks of one kind, or another method" : "exchange.topology = sharded"));
  bool const best = best_ && best_->step == totals_.steps;
  if (!last) return saver_->save(describe(), registry_, best);
  saver_->save_last(describe(), registry_, best);
  return Saver::Outcome::committed;
}

template <class T>
void Training<T>::collect(bool for_another) {
  auto const outcome = [&] {
    InPhase const phase(optimizer_->timer(), Phase::save);
    return saver_->collect(for_another);
  }();
  note(outcome);
}

template <class T>
void Training<T>::note(Saver::Outcome outcome) {
  if (outcome == Saver::Outcome::committed) {
    kept_ = best_;
    count_times();
  }
  if (outcome == Saver::Outcome::failed) best_ = kept_;
}

template <class T>
bool Training<T>::is_best(double loss) {
  if (!deck_.flag("checkpoint.keep_best") || !is_better(loss, best_)) return false;
  collect(true);  // what is under way was the best, or not, before this one
  best_ = Best{loss, totals_.steps};
  log_.line(fmt::format("the best validation so far, {:.4f} at step {}: its checkpoint is kept", loss, totals_.steps));
  return true;
}

template void Training<float>::begin_saving(WallClock&, std::function<void()>);
template void Training<double>::begin_saving(WallClock&, std::function<void()>);
template CheckpointInfo Training<float>::describe();
template CheckpointInfo Training<double>::describe();
template void Training<float>::save(bool);
template void Training<double>::save(bool);
template Saver::Outcome Training<float>::save_now(bool);
template Saver::Outcome Training<double>::save_now(bool);
template void Training<float>::collect(bool);
template void Training<double>::collect(bool);
template void Training<float>::note(Saver::Outcome);
template void Training<double>::note(Saver::Outcome);
template bool Training<float>::is_best(double);
template bool Training<double>::is_best(double);

}  // namespace kaon
