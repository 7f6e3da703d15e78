#ifndef KAON_RUN_SIGNALS_HPP
#define KAON_RUN_SIGNALS_HPP

#include <string>

#include <signal.h>

namespace kaon {

/// What the signals that arrived since the last take() ask for.
struct SignalRequest {
  int stop = 0;       ///< the signal (USR1, TERM or INT; the latest) that asks to save and stop; 0: none
  bool save = false;  ///< USR2 asks to save and go on
};

/// While an object of this class lives, USR1, TERM and INT ask to save and stop (exit code 75), and USR2 asks to save and go on.
/// The handlers only set flags; the loop takes these between steps. The first INT gives INT back its default action, so that a
/// second one kills at once instead of waiting for the save. One object at a time; its end restores the handlers of before.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(Signals const&) = delete;
  Signals& operator=(Signals const&) = delete;

  /// A library that starts may put handlers of its own over these: MPICH takes USR1 for the news of a dead rank, and a job
  /// without mpiexec then waits for ever for the launcher to say which. hold() keeps USR1 away from it, in this thread; renew()
  /// puts these handlers back and lets through what came.
  void hold();
  void renew();

  SignalRequest pending() const;  ///< looks, and leaves it pending
  SignalRequest take();           ///< looks and clears, atomically for each kind; loses no signal that arrives meanwhile

 private:
  struct sigaction previous_[4];
};

/// "USR1", "TERM", …
std::string signal_name(int signal);

}  // namespace kaon

#endif
