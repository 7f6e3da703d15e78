#ifndef KAON_CLOCK_PHASES_HPP
#define KAON_CLOCK_PHASES_HPP

#include <array>
#include <cstddef>
#include <vector>

namespace kaon {

/// Where a rank's time goes. Each is also a Kokkos profiling region with the name of phase_name().
enum class Phase : std::size_t {
  forward,        ///< the objective's forward pass, data included
  backward,       ///< its backward pass
  sum,            ///< adding the gradients of micro-batches, sending and taking partial sums
  compress,       ///< momentum, compression and decompression at the worker; compression of the shift at the server
  send,           ///< sealing packets and handing them to MPI
  wait_sum,       ///< idle: partial sums of the group are awaited
  wait_uplink,    ///< idle: packets of workers are awaited
  aggregate,      ///< adding the workers' packets at the server
  lmo,            ///< oracle and step of X
  wait_downlink,  ///< idle: the shift of a layer is awaited
  follow,         ///< W ← W + S
  agree,          ///< idle: the losses of all workers are awaited
  save,           ///< checkpoints
  validate,
  count
};
inline constexpr std::size_t phase_count = static_cast<std::size_t>(Phase::count);

/// "kaon::forward", …: stable names for profilers.
char const* phase_name(Phase phase);

/// Seconds by phase.
struct PhaseTimes {
  std::array<double, phase_count> seconds{};
  double& operator[](Phase p) { return seconds[static_cast<std::size_t>(p)]; }
  double operator[](Phase p) const { return seconds[static_cast<std::size_t>(p)]; }
  PhaseTimes& operator+=(PhaseTimes const& o);
  PhaseTimes operator-(PhaseTimes const& o) const;
  /// What the exchange adds to a step that computes: every wait, and the sending.
  double exposed() const;
  double total() const;
};

/// Attributes wall time to the innermost phase that is entered. On a device that is the host's time: launches return at once,
/// and what the host waits for is counted where it waits.
class PhaseTimer {
 public:
  PhaseTimer() { stack_.reserve(16); }
  void enter(Phase phase);
  void leave();
  /// Leaves the innermost phase for another one.
  void change(Phase phase);
  PhaseTimes const& times() const { return times_; }

 private:
  void charge();
  PhaseTimes times_;
  std::vector<Phase> stack_;
  double mark_ = 0;
};

/// Enters a phase for as long as it lives.
class InPhase {
 public:
  InPhase(PhaseTimer& timer, Phase phase) : timer_(timer) { timer_.enter(phase); }
  ~InPhase() { timer_.leave(); }
  InPhase(InPhase const&) = delete;
  InPhase& operator=(InPhase const&) = delete;

 private:
  PhaseTimer& timer_;
};

}  // namespace kaon

#endif
