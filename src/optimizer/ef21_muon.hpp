#ifndef KAON_OPTIMIZER_EF21_MUON_HPP
#define KAON_OPTIMIZER_EF21_MUON_HPP

#include <kaon/exchange/exchange.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/objective/objective.hpp>
#include <kaon/optimizer/measure.hpp>
#include <kaon/optimizer/report.hpp>
#include <kaon/optimizer/server.hpp>
#include <kaon/optimizer/settings.hpp>
#include <kaon/optimizer/staging.hpp>
#include <kaon/optimizer/tools.hpp>
#include <kaon/optimizer/worker.hpp>
#include <kaon/state/registry.hpp>

#include <memory>
#include <vector>

namespace kaon {

/// EF21-Muon (arXiv 2510.00643, Algorithm 1, layer-wise): n logical workers and one logical server spread over the ranks of a
/// communicator. A step is: gradients at W, uplink, server, downlink; state after it is the same bits for any number of ranks.
///
///   M_j ← (1−β)M_j + β∇f_j(W);  R_j = C_j(M_j − G_j);  G_j ← G_j + R_j
///   G ← G + (1/n) Σ R_j;  X ← X + t·LMO(G);  S = C(X − W);  W ← W + S
///
/// The identity compressor sends the value itself (M_j, X), which its receiver assigns: with it G_j = M_j and W = X exactly, and
/// with one worker the method is Muon, Scion or Gluon to the last bit.
template <class T>
class Ef21Muon {
 public:
  /// One LayerSettings per layer. All ranks construct it with the same arguments (checked by the caller through the deck).
  Ef21Muon(Space const& exec, Communicator const& comm, std::vector<Layer> layers, std::vector<LayerSettings> settings,
           OptimizerSettings const& optimizer);

  /// X = W = X⁰ from the objective; everything else zero.
  void initialize(Objective<T>& objective);

  /// One step; collective. `multiplier` scales every radius (Schedule). With `measure` the report has layer figures.
  /// Throws NumericalError on every rank when any worker's loss is not finite.
  StepReport step(Objective<T>& objective, std::uint64_t step, double multiplier, bool measure);

  /// The model to evaluate and ship: W, all layers, on every rank.
  typename Objective<T>::ConstPoint W() const;
  Server<T> const& server() const { return *server_; }
  Workers<T> const& workers() const { return *workers_; }
  Exchange const& exchange() const { return *exchange_; }
  Exchange& exchange() { return *exchange_; }
  std::vector<Layer> const& layers() const { return layers_; }
  std::vector<LayerSettings> const& settings() const { return settings_; }

  /// Everything that outlives a step.
  void register_state(Registry& registry) const;

  /// Collective. Checks after a restart: W has the same hash on every rank; G = mean_j G_j, recomputed in worker order, within
  /// `tolerance` relative to the largest ‖G_j‖ (the running sum and the recomputed mean round differently); all finite.
  /// Throws InputError that names the layer. Returns the largest relative difference seen.
  double check_invariants(double tolerance) const;

 private:
  Space exec_;
  Communicator const& comm_;
  std::vector<Layer> layers_;
  std::vector<LayerSettings> settings_;
  OptimizerSettings optimizer_;
  std::unique_ptr<Tools<T>> tools_;
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<Staging<T>> staging_;
  std::unique_ptr<Workers<T>> workers_;
  std::unique_ptr<Server<T>> server_;
  std::unique_ptr<Measure> measure_;
  std::vector<Scalar<double, Space>> losses_;
};

extern template class Ef21Muon<float>;
extern template class Ef21Muon<double>;

}  // namespace kaon

#endif
