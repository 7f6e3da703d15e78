#include <kaon/run/stop_rules.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace kaon {

namespace {

// Votes in order of weight, so that their maximum is the decision: every reason to stop outweighs every reason to save, and
// stopping saves as well. A signal's number is added to by_signal.
enum Vote : std::int64_t {
  go_on = 0,
  save_by_signal = 1,
  save_by_file = 2,
  stop_by_file = 3,
  stop_by_clock = 4,
  stop_by_signal = 1000
};

std::string reason_of(std::int64_t vote) {
  switch (vote) {
    case go_on:
      return "";
    case save_by_signal:
      return "signal USR2";
    case save_by_file:
      return "file save";
    case stop_by_file:
      return "file stop";
    case stop_by_clock:
      return "wall clock";
    default:
      return "signal " + signal_name(static_cast<int>(vote - stop_by_signal));
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

std::int64_t StopRules::vote() {
  // A signal that this rank takes and another rank's vote outweighs is served too: the outcome never asks for less.
  auto const request = signals_.take();
  if (ranks_.rank() == 0) {
    saw_stop_file_ = exists(stop_file_);
    saw_save_file_ = exists(save_file_);
  }
  if (request.stop != 0) return stop_by_signal + request.stop;
  if (clock_.must_stop()) return stop_by_clock;
  if (saw_stop_file_) return stop_by_file;
  if (saw_save_file_) return save_by_file;
  return request.save ? save_by_signal : go_on;
}

Decision StopRules::decide() {
  auto const outcome = ranks_.max(vote());
  return {outcome != go_on, outcome >= stop_by_file, reason_of(outcome)};
}

void StopRules::acted() {
  if (std::exchange(saw_stop_file_, false)) remove_file(stop_file_, log_);
  if (std::exchange(saw_save_file_, false)) remove_file(save_file_, log_);
}

}  // namespace kaon
