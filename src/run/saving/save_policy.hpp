#ifndef KAON_RUN_SAVING_SAVE_POLICY_HPP
#define KAON_RUN_SAVING_SAVE_POLICY_HPP

#include <kaon/run/stop/wall_clock.hpp>

#include <cstdint>
#include <string>

namespace kaon {

/// Seconds of work between the end of one checkpoint and the beginning of the next that lose the least time to checkpoints and to
/// work done again after failures: `cost` seconds block the run for a checkpoint, failures come `mtbf` seconds apart in the mean.
/// J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation Computer Systems
/// 22 (2006) 303-312: sqrt(2 C M) (1 + sqrt(C / 2M) / 3 + (C / 2M) / 9) - C while C < 2M, else M. Its leading term, sqrt(2 C M),
/// is J. W. Young, "A first order approximation to the optimum checkpoint interval", Communications of the ACM 17 (1974) 530-531.
double optimal_interval(double cost, double mtbf);

/// When periodic checkpoints are due: after so many steps, after so many minutes, and as often as measured cost and time between
/// failures make it worth while. Each rule that is given asks on its own, whichever comes first.
class SavePolicy {
 public:
  struct Settings {
    std::uint64_t every = 0;  ///< steps; 0: no such rule
    double minutes = 0;       ///< likewise
    double mtbf_hours = 0;    ///< mean time between failures of the whole job; 0: no such rule
  };

  /// Time counts from now on. `expected_cost`: seconds that a checkpoint is taken to cost until one has been measured.
  SavePolicy(Settings const& settings, double expected_cost, WallClock::Now now = steady_seconds);

  /// A checkpoint is due after this step, whatever the time.
  bool due_at(std::uint64_t step) const { return settings_.every > 0 && step % settings_.every == 0; }
  /// A checkpoint is due at this time. Clocks of ranks differ: one rank asks for all.
  bool due_now() const { return now_() - mark_ >= interval(); }

  /// The run goes on after a save that blocked it for `cost` seconds: time counts anew.
  void paid(double cost);
  /// The run goes on after a save that failed: time counts anew, nothing is learnt.
  void failed() { mark_ = now_(); }
  /// A checkpoint that was written beside the training was on disk `seconds` after it had begun: a shorter interval makes no
  /// sense.
  void written(double seconds) { latency_ = seconds; }

  /// Seconds from the end of the last save to the next one that time asks for; infinity when none of its rules is given.
  double interval() const;
  /// "next checkpoint in about 42 s (save cost 0.31 s, …)"; empty where steps alone decide.
  std::string forecast() const;

 private:
  Settings settings_;
  WallClock::Now now_;
  double mark_;
  double cost_;
  double latency_ = 0;
  bool measured_ = false;
};

}  // namespace kaon

#endif
