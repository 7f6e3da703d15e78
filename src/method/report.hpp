#ifndef KAON_METHOD_REPORT_HPP
#define KAON_METHOD_REPORT_HPP

#include <kaon/clock/phases.hpp>

#include <vector>

namespace kaon {

/// How well one layer's compression works at this step. Workers are averaged in worker order.
struct LayerReport {
  double alpha_up = 1;    ///< measured contraction 1 − ‖C(x) − x‖²/‖x‖² of x = M_j − G_j (1 where x = 0)
  double lag = 0;         ///< ‖M_j − G_j‖_F / ‖M_j‖_F after the round
  double alpha_down = 1;  ///< the same contraction of x = X − W
  double gap = 0;         ///< ‖X − W‖_F / ‖W‖_F after the step
  double gradient = 0;    ///< ‖G‖_F, the server's estimate
};

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
