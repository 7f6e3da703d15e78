#ifndef KAON_METHOD_LOCAL_STEPS_LOCAL_UPDATE_HPP
#define KAON_METHOD_LOCAL_STEPS_LOCAL_UPDATE_HPP

#include <kaon/method/ef21_muon/ef21_muon.hpp>
#include <kaon/method/local_steps/worker_arrays.hpp>

#include <memory>
#include <vector>

namespace kaon {

/// Local steps that send updates (MuLoCo, arXiv 2505.23725, with error feedback and both directions compressed). In a round
/// worker j walks θ_j from W; then
///
///   Δ_j = W − θ_j;  R_j = C_j(Δ_j − G_j);  G_j ← G_j + R_j;  G = (1/n) Σ G_j   (feedback ef21; ef14 and none as Ef21Muon has
///   them) X ← X − ηG, or as LocalSettings::outer says;  S = C(X − W);  W ← W + S
///
/// The identity sends θ_j itself, and G = W − θ̄ with θ̄ the mean in worker order; where the downlink is the identity too, average
/// is X ← (1−η)X + ηθ̄, so that one worker with η = 1 steps as if there were no rounds, to the bit.
///
/// Inner steps are the derived class's. Model-sized arrays, beside its own: θ_j for each worker computed here, G_j at its home
/// where the uplink drops something; W on every rank; X, G and, with nesterov, u at the owner.
template <class T>
class LocalUpdate : public Ef21Muon<T>, public LocalWalk<T> {
 public:
  LayerFlows flows(int layer) const override;
  double cost(int layer) const override;
  void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) override;
  void initialize(Space const& exec) override;
  void serve(StepContext<T>& cx, int layer) override;
  void register_state(Registry& registry) const override;
  Figures const& figures() const override;

  LocalWalk<T>* local() override { return this; }
  ConstMatrix<T, Space> point(int layer, int worker) const override { return (*points_)(layer, worker); }
  void walk(StepContext<T>& cx, int layer, int worker) override;
  bool moves_at_workers() const override { return true; }

 protected:
  LocalUpdate(MethodLayers of, MethodTraits traits);
  /// θ ← the inner step of the worker, whose gradient on_gradient() has taken.
  virtual void inner_step(StepContext<T>& cx, int layer, int worker, Matrix<T, Space> const& theta) = 0;
  /// What move_along() is to tell of the worker's step: nothing but for worker 0 on its first rank.
  Vector<double, Space> told(StepContext<T> const& cx, int layer, int worker) const {
    return worker == 0 && tells_ ? cx.motion_of(layer) : Vector<double, Space>();
  }
  std::string const& root() const { return root_; }

 private:
  void send(StepContext<T>& cx, int layer, int worker, Matrix<T, Space> const& theta);
  void outer_step(StepContext<T>& cx, int layer);

  std::string root_;
  bool tells_ = false;
  std::unique_ptr<RoundArrays<T>> points_;
  std::vector<Matrix<T, Space>> outer_;  // layer: u
  Vector<T, Space> before_;              // G of the round before, of one layer
};

extern template class LocalUpdate<float>;
extern template class LocalUpdate<double>;

}  // namespace kaon

#endif
