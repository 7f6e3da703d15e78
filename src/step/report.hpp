#ifndef KAON_STEP_REPORT_HPP
#define KAON_STEP_REPORT_HPP

#include <kaon/clock/phases.hpp>
#include <kaon/method/measure.hpp>

#include <vector>

namespace kaon {

struct StepReport {
  double loss = 0;                  ///< mean over workers of f_j(W; ξ_j) at the W before the step
  std::vector<double> worker_loss;  ///< f_j, in worker order
  std::vector<LayerReport> layers;  ///< filled when the step was asked to measure
  PhaseTimes times;                 ///< where the step's wall time went on this rank
  std::vector<double> agreed;       ///< what the ranks brought to the agreement, summed
  int still = 0;  ///< layers of which no weight changed in the step before, though their oracle named a direction
};

}  // namespace kaon

#endif
