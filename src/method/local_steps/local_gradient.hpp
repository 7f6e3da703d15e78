#ifndef KAON_METHOD_LOCAL_STEPS_LOCAL_GRADIENT_HPP
#define KAON_METHOD_LOCAL_STEPS_LOCAL_GRADIENT_HPP

#include <kaon/method/ef21_muon/ef21_muon.hpp>
#include <kaon/method/local_steps/worker_arrays.hpp>

#include <memory>
#include <vector>

namespace kaon {

/// Local steps that send momenta: worker j walks from W only to meet gradients on the way, and a round is a step of Ef21Muon with
/// their mean in the place of ∇f_j(W):
///
///   A_j = Σ ∇f_j(θ_j) over the round so far;  θ_j ← θ_j + t·walk·LMO(A_j)   (not after the round's last gradient)
///
/// H = 1 is Ef21Muon to the bit, for any n and compressor. Model-sized arrays, beside Ef21Muon's: θ_j and A_j for each worker
/// computed here.
template <class T>
class LocalGradient : public Ef21Muon<T>, public LocalWalk<T> {
 public:
  explicit LocalGradient(MethodLayers of) : Ef21Muon<T>(std::move(of)) {}

  LayerFlows flows(int layer) const override;
  void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) override;
  void initialize(Space const& exec) override;
  void on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) override;
  void register_state(Registry& registry) const override;

  LocalWalk<T>* local() override { return this; }
  ConstMatrix<T, Space> point(int layer, int worker) const override { return (*points_)(layer, worker); }
  void walk(StepContext<T>& cx, int layer, int worker) override;
  bool moves_at_workers() const override { return false; }

 private:
  std::unique_ptr<RoundArrays<T>> points_, sums_;
};

extern template class LocalGradient<float>;
extern template class LocalGradient<double>;

}  // namespace kaon

#endif
