#ifndef KAON_STEP_REPORT_HPP
#define KAON_STEP_REPORT_HPP

#include <kaon/clock/phases.hpp>
#include <kaon/method/measure.hpp>

#include <cstdint>
#include <vector>

namespace kaon {

struct StepLoss {
  std::uint64_t step = 0;
  double loss = 0;  ///< mean over workers of f_j at the point before the step: W, and θ_j within a round of local steps
  std::vector<double> worker_loss;  ///< f_j, in worker order
};

struct StepReport {
  bool ends_round = true;           ///< false: a local step, after which the ranks have told each other nothing
  double loss = 0;                  ///< the step's; NaN where it does not end a round
  std::vector<double> worker_loss;  ///< the same
  std::vector<StepLoss> losses;     ///< with local steps, where a round ends: of its steps since they were last told, ascending
  std::vector<LayerReport> layers;  ///< filled when the step was asked to measure
  PhaseTimes times;                 ///< where the step's wall time went on this rank
  std::vector<double> agreed;       ///< what the ranks brought to the agreement, summed
  int still = 0;  ///< layers of which no weight changed in the step before, though their oracle named a direction
};

}  // namespace kaon

#endif
