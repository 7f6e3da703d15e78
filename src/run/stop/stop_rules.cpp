#include <kaon/run/stop/stop_rules.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

namespace kaon {

namespace {

// In order of weight: the last one that anybody voted for is the decision.
enum Vote : std::size_t {
  save_by_signal,
  save_by_file,
  stop_by_file,
  stop_by_clock,
  stop_by_xcpu,
  stop_by_usr1,
  stop_by_term,
  stop_by_int
};
constexpr char const* reasons[] = {"signal USR2", "file save",   "file stop",   "wall clock",
                                   "signal XCPU", "signal USR1", "signal TERM", "signal INT"};
constexpr std::size_t due = std::size(reasons), written = due + 1;
static_assert(written + 1 == StopRules::votes);

Vote vote_of(int signal) {
  switch (signal) {
    case SIGINT:
      return stop_by_int;
    case SIGTERM:
      return stop_by_term;
    case SIGXCPU:
      return stop_by_xcpu;
    default:
      return stop_by_usr1;
  }
}

bool exists(std::string const& path) { return access(path.c_str(), F_OK) == 0; }

void remove_file(std::string const& path, Log const& log) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    log.warning(fmt::format("cannot remove {} ({}); it would act again: remove it by hand", path, std::strerror(errno)));
}

}  // namespace

StopRules::StopRules(Communicator const& ranks, Signals& signals, WallClock const& clock, Log const& log, std::string run_folder)
    : ranks_(ranks),
      signals_(signals),
      clock_(clock),
      log_(log),
      stop_file_(run_folder + "/stop"),
      save_file_(run_folder + "/save") {}

void StopRules::ask(std::function<bool()> due, std::function<bool()> written) {
  due_ = std::move(due);
  written_ = std::move(written);
}

void StopRules::cast(std::span<double> v) {
  std::fill(v.begin(), v.end(), 0.0);
  // A signal that this rank takes and another rank's vote outweighs is served too: the outcome never asks for less.
  auto const request = signals_.take();
  if (request.stop != 0) v[vote_of(request.stop)] = 1;
  if (request.save) v[save_by_signal] = 1;
  if (clock_.must_stop()) v[stop_by_clock] = 1;
  if (written_ && written_()) v[written] = 1;
  if (ranks_.rank() != 0) return;
  if (due_ && due_()) v[due] = 1;
  saw_stop_file_ = exists(stop_file_);
  saw_save_file_ = exists(save_file_);
  if (saw_stop_file_) v[stop_by_file] = 1;
  if (saw_save_file_) v[save_by_file] = 1;
}

Decision StopRules::tally(std::span<double const> v) const {
  Decision d;
  d.due = v[due] > 0;
  d.written = v[written] == ranks_.size();
  for (std::size_t k = std::size(reasons); k-- > 0 && !d.save;)
    if (v[k] > 0) d.save = true, d.stop = k >= stop_by_file, d.reason = reasons[k];
  return d;
}

Decision StopRules::decide() {
  std::vector<double> v(votes);
  cast(v);
  ranks_.sum_each(v);
  return tally(v);
}

void StopRules::acted() {
  if (std::exchange(saw_stop_file_, false)) remove_file(stop_file_, log_);
  if (std::exchange(saw_save_file_, false)) remove_file(save_file_, log_);
}

}  // namespace kaon
