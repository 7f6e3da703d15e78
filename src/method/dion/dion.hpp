#ifndef KAON_METHOD_DION_DION_HPP
#define KAON_METHOD_DION_DION_HPP

#include <kaon/compress/compressor.hpp>
#include <kaon/linalg/orthonormalize.hpp>
#include <kaon/method/dion/state.hpp>
#include <kaon/method/dion/traits.hpp>
#include <kaon/method/method.hpp>
#include <kaon/method/registry.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace kaon {

/// Dion (arXiv 2504.05295, Algorithm 3; data-parallel): steps of rank r = ⌈dion_rank · min(m, n)⌉ whose error stays in the
/// workers' momenta. A step of an m×n layer, in two rounds of messages:
///
///   worker: M_j ← M_j + ∇f_j(W), sends M_jQ                  server: P ← orth((1/n) Σ_j M_jQ), sends P
///   worker: sends M_jᵀP                                      server: R̄ = (1/n) Σ_j M_jᵀP, sends R̄
///   worker: M_j ← M_j − (1−μ)PR̄ᵀ       all ranks: Q ← columns of R̄, made 1 long;  W ← (1 − t·decay)W − t√(m/n)PQᵀ
///
/// orth is the orthonormal factor of a QR, column after column. Every worker takes the mean R̄ off its M_j, so that the mean of
/// M_j is the M of one worker with all the data. t is the radius times the schedule, μ = dion_momentum. A column that depends on
/// those before it is 0 in P: it does not move W, and leaves Q's column as it was; of mean M_jQ = 0 they all do.
///
/// Where r(m + n) ≥ mn, factors would be no shorter than the gradient: gradients are added on the way, M lives at the layer's
/// server, which does the same with it, and W is sent.
template <class T>
class Dion final : public Method<T> {
 public:
  static MethodTraits traits() { return dion::traits(); }
  static std::unique_ptr<Method<T>> make(MethodLayers of) { return std::make_unique<Dion>(std::move(of)); }
  explicit Dion(MethodLayers of);

  LayerFlows flows(int layer) const override;
  double cost(int layer) const override;
  int factor_columns(int layer) const override { return constants(layer).rank; }
  void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) override;
  void initialize(Space const& exec) override { state_->initialize(exec); }

  void on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) override;
  void serve(StepContext<T>& cx, int layer) override;
  void hear(StepContext<T>& cx, int layer) override;
  void answer(StepContext<T>& cx, int layer, int worker) override;
  void conclude(StepContext<T>& cx, int layer) override;
  void follow(StepContext<T>& cx, int layer) override;
  bool steps_everywhere() const override;

  void register_state(Registry& registry) const override { state_->register_state(registry); }
  Figures const& figures() const override { return dion::figures(); }
  double check(Communicator const& comm, double tolerance) const override { return state_->check(comm, tolerance); }
  std::string invariant() const override { return "columns of Q have norm 1"; }

  DionState<T> const& state() const { return *state_; }
  dion::Constants const& constants(int layer) const { return constants_[static_cast<std::size_t>(layer)]; }

 private:
  using Codec = Compressor<T, Space>;
  void post(StepContext<T>& cx, Exchange& stage, int layer, int worker, Codec& codec, ConstMatrix<T, Space> const& values);
  void send(StepContext<T>& cx, Exchange& stage, int layer, Codec& codec, ConstMatrix<T, Space> const& values);
  void gather(StepContext<T>& cx, Exchange& stage, int layer, Codec& codec, Matrix<T, Space> const& mean);
  void take(StepContext<T>& cx, Exchange& stage, int layer, Codec& codec, Matrix<T, Space> const& values);
  void serve_dense(StepContext<T>& cx, int layer);
  void renew(StepContext<T>& cx, int layer, ConstMatrix<T, Space> const& R);
  void move(StepContext<T>& cx, int layer, ConstMatrix<T, Space> const& P);
  Matrix<T, Space> scratch(StepContext<T> const& cx, int which, int rows, int layer) const {
    return cx.staging.scratch(which, rows, constants(layer).rank);
  }
  Orthonormalizer<T, Space>& orth(int layer) { return *orth_[static_cast<std::size_t>(layer)]; }
  Codec& left(int layer) const { return *left_[static_cast<std::size_t>(layer)]; }
  Codec& right(int layer) const { return *right_[static_cast<std::size_t>(layer)]; }
  Layer const& layer_of(int layer) const { return of_.layers[static_cast<std::size_t>(layer)]; }
  LayerSettings const& settings_of(int layer) const { return of_.settings[static_cast<std::size_t>(layer)]; }

  MethodLayers of_;
  std::vector<dion::Constants> constants_;            ///< layer
  std::vector<std::unique_ptr<Codec>> left_, right_;  ///< layer: of m×r and n×r; of a dense layer left_ is W's, m×n
  struct Workspace {
    int rows, rank;
    std::unique_ptr<Orthonormalizer<T, Space>> orth;
  };
  std::vector<Workspace> workspaces_;             ///< one for each m and r, of layers that are served
  std::vector<Orthonormalizer<T, Space>*> orth_;  ///< layer
  std::unique_ptr<DionState<T>> state_;
  Scalar<double, Space> one_;
};

extern template class Dion<float>;
extern template class Dion<double>;

}  // namespace kaon

#endif
