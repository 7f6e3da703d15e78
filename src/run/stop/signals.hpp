#ifndef KAON_RUN_STOP_SIGNALS_HPP
#define KAON_RUN_STOP_SIGNALS_HPP

#include <kaon/run/saving/background.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include <signal.h>

namespace kaon {

/// What the signals that arrived since the last take() ask for.
struct SignalRequest {
  int stop = 0;       ///< the signal (USR1, TERM, INT or XCPU; the latest) that asks to save and stop; 0: none
  bool save = false;  ///< USR2 asks to save and go on
};

/// While an object of this class lives, USR1, TERM, INT and XCPU (a batch system's soft limit on CPU time, which is sent again
/// each second) ask to save and stop (exit code 75), and USR2 asks to save and go on. The handlers only set flags; the loop takes
/// these between steps, and what comes twice meanwhile counts once. The first INT gives INT back its default action, so that a
/// second one kills at once instead of waiting for the save. One object at a time; its end restores the handlers of before.
///
/// A program that hangs takes nothing between steps. So a thread of its own, asleep until a stop signal comes, waits for as long
/// as allow() says, and then ends the job, with what the program was doing.
class Signals {
 public:
  /// `overdue` is called, with a text, in the place of ending the job: for tests.
  explicit Signals(std::function<void(std::string const&)> overdue = {});
  ~Signals();
  Signals(Signals const&) = delete;
  Signals& operator=(Signals const&) = delete;

  /// A library that starts may put handlers of its own over these: MPICH takes USR1 for the news of a dead rank, and a job
  /// without mpiexec then waits for ever for the launcher to say which. hold() keeps USR1 away from it, in this thread; renew()
  /// puts these handlers back and lets through what came. MPI waits without patience for a rank that never starts, and nothing
  /// can be lost yet: in between a stop signal may wait for `seconds`.
  void hold(double seconds = 60);
  void renew();

  SignalRequest pending() const;  ///< looks, and leaves it pending
  SignalRequest take();           ///< looks and clears, atomically for each kind; loses no signal that arrives meanwhile

  /// Seconds that may pass from a stop signal to the next served(), and from there to the end; 0: for ever. At first, and
  /// from renew() on, 600.
  void allow(double seconds) { allowed_ = seconds; }
  /// What the program does now, for the text: `what` must live for ever. `step` is left out where it is 0.
  void doing(char const* what, std::uint64_t step = 0);
  /// The stop signal is being acted on: the time begins anew.
  void served();
  /// It has been acted on: nobody waits any more, until another one comes.
  void settled();
  /// All is done but to leave: a hang from here on ends the process with `code`, nothing else.
  void leaving(int code);

 private:
  void watch();
  std::string account() const;

  static constexpr int handled_[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGXCPU};
  std::array<struct sigaction, std::size(handled_)> previous_;
  std::function<void(std::string const&)> overdue_;
  static constexpr double at_first_ = 600;
  std::atomic<double> allowed_{at_first_};
  std::atomic<char const*> doing_ = "the start";
  std::atomic<std::uint64_t> step_{0};
  std::atomic<int> code_{-1};
  int settled_ = 0;  // the signal
  std::atomic<bool> quit_{false};
  Background watcher_;
};

/// "USR1", "TERM", …
std::string signal_name(int signal);

}  // namespace kaon

#endif
