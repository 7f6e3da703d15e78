#include <kaon/run/saving/saver.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/run/saving/finite.hpp>

#include <fmt/format.h>

#include <cstdio>

namespace kaon {
namespace {

void require_finite(Communicator const& comm, CheckpointInfo const& info, Registry const& state) {
  if (auto const bad = first_not_finite(comm, state); !bad.empty())
    throw NumericalError(
        fmt::format("{} is not finite at step {}: no checkpoint is written, earlier ones are kept; a smaller "
                    "radius or a gentler compressor is the usual cure",
                    bad, info.step));
}

}  // namespace

Saver::Saver(Checkpoints& checkpoints, WallClock& clock, SavePolicy& policy, Log const& log, Settings const& settings)
    : checkpoints_(checkpoints), clock_(clock), policy_(policy), log_(log), settings_(settings) {
  if (settings.beside) clock.expect_saves(2);  // at a stop one may be under way, and the last one follows it
  tell_next();
}

Saver::~Saver() {
  settings_.go_on = true;
  // Another error has ended the run. If it is that a rank is gone, the thread waits for that rank for ever.
  double const until = steady_seconds() + 60 + 3 * clock_.save_seconds();
  auto const awaited = [] { return std::string("the checkpoint beside the training"); };
  for (Patience patience(awaited, 1e9); busy() && !thread_.done(); patience.pause())  // a destructor must not throw
    if (steady_seconds() > until) {
      std::fputs(
          "kaon: error: a checkpoint beside the training does not end; the job is aborted, earlier checkpoints are intact\n",
          stderr);
      MPI_Abort(checkpoints_.comm().get(), static_cast<int>(Exit::io));
    }
  try {
    collect();
  } catch (std::exception const& e) {
    log_.warning(e.what());
  }
}

/// All ranks together: check, write, verify, commit.
void Saver::commit(Registry const& state, bool best) {
  Doing const doing(fmt::format("saving step {}", info_.step));
  require_finite(checkpoints_.comm(), info_, state);
  written_path_ = checkpoints_.save(info_, state, best);
  took_ = steady_seconds() - begun_;
}

void Saver::committed(double seconds, char const* how) {
  step_ = info_.step;
  path_ = written_path_;
  for (auto const& c : checkpoints_.complaints()) log_.warning(c);
  log_.line(fmt::format("saved {} in {:.2f} s{}", path_, seconds, how));
}

void Saver::tell_next() const {
  if (auto const line = policy_.forecast(); !line.empty()) log_.line(line);
}

void Saver::prepare() {
  if (!settings_.before) return;
  Ballot ballot(checkpoints_.comm());
  ballot.attempt(settings_.before);
  ballot.vote("syncing what a checkpoint follows");
}

void Saver::save_now(Registry const& state, bool best) {
  clock_.save_begins();
  prepare();
  commit(state, best);
  committed(clock_.save_ends(), "");
}

void Saver::save_beside(Registry const& state, bool best) {
  prepare();
  Ballot ballot(checkpoints_.comm());
  ballot.attempt([&] { copy_.take(state); });
  ballot.vote("copying the state for a checkpoint beside the training");
  copied_ = Snapshot::bytes_of(state);
  ++count_;
  alone_ = false;
  thread_.begin([this, best] {
    always_yield_here();
    try {
      commit(copy_.registry(), best);
    } catch (Error const& e) {
      // Checkpoints throws these on all ranks; anything else, MPI's errors first of all, is this rank's trouble.
      alone_ = e.code() == Exit::io && dynamic_cast<AgreedIoError const*>(&e) == nullptr;
      throw;
    } catch (...) {
      alone_ = true;
      throw;
    }
  });
}

Saver::Outcome Saver::refused(std::exception const& e) {
  policy_.failed();
  log_.warning(fmt::format("{}\nthe run goes on without this checkpoint (checkpoint.on_failure = continue)", e.what()));
  tell_next();
  return Outcome::failed;
}

Saver::Outcome Saver::save(CheckpointInfo const& info, Registry const& state, bool best) {
  require(!busy(), "Saver: a checkpoint is under way");
  info_ = info;
  begun_ = steady_seconds();
  try {
    if (settings_.beside)
      save_beside(state, best);
    else
      save_now(state, best);
  } catch (AgreedIoError const& e) {
    if (!settings_.go_on) throw;
    return refused(e);
  }
  double const cost = steady_seconds() - begun_;
  blocked_ += cost;
  policy_.paid(cost);
  tell_next();
  return settings_.beside ? Outcome::under_way : Outcome::committed;
}

void Saver::save_last(CheckpointInfo const& info, Registry const& state, bool best) {
  require(!busy(), "Saver: a checkpoint is under way");
  copy_.release();
  info_ = info;
  begun_ = steady_seconds();
  save_now(state, best);
}

bool Saver::written() {
  if (!busy() || !thread_.done()) return false;
  if (alone_) thread_.finish();
  return true;
}

Saver::Outcome Saver::collect(bool for_another) {
  if (!busy()) return Outcome::none;
  double const begin = steady_seconds();
  waits_ += for_another && !thread_.done();
  try {
    thread_.finish();
  } catch (AgreedIoError const& e) {
    if (!settings_.go_on) throw;
    return refused(e);
  }
  blocked_ += steady_seconds() - begin;
  wrote_ += took_;
  clock_.count_save(took_);
  policy_.written(took_);
  committed(took_, " beside the training");
  return Outcome::committed;
}

std::string Saver::account() const {
  if (count_ == 0) return {};
  return fmt::format(
      "{} checkpoints written beside the training, from copies of {:.1f} MB on rank 0: it stood still for {:.2f} of their {:.2f} "
      "s{}",
      count_, static_cast<double>(copied_) / 1e6, blocked_, wrote_,
      waits_ > 0 ? fmt::format("; {} had to wait for the one before", waits_) : "");
}

}  // namespace kaon
