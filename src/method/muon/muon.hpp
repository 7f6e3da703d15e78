#ifndef KAON_METHOD_MUON_MUON_HPP
#define KAON_METHOD_MUON_MUON_HPP

#include <kaon/method/dense.hpp>
#include <kaon/method/registry.hpp>
#include <kaon/method/tools.hpp>

#include <memory>
#include <vector>

namespace kaon {

/// Distributed Muon as ZeRO-1 has it (Moonlight, arXiv 2502.16982): nothing is compressed. Gradients are added on the way,
/// momentum lives at the layer's owner alone, and W is sent to all:
///
///   M ← (1−β)M + β·(1/n) Σ_j ∇f_j(W);  W ← (1 − t·decay)W + t·LMO(M)
///
/// with any norm's LMO (Muon: norm = spectral), and the look-ahead (1−β)M + β∇f in the place of M with Nesterov. With one worker
/// it has the bits of EF21-Muon with the identity both ways. Model-sized arrays: W on every rank, M at the owner; with Nesterov
/// one more there.
template <class T>
class Muon : public DenseMethod<T> {
 public:
  static MethodTraits traits();
  static std::unique_ptr<Method<T>> make(MethodLayers of) { return std::make_unique<Muon>(std::move(of)); }
  explicit Muon(MethodLayers of);

  double cost(int layer) const override;
  void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) override;
  void on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) override;
  void serve(StepContext<T>& cx, int layer) override;
  Figures const& figures() const override;

 private:
  bool looks_ahead(int layer) const { return this->of().optimizer.nesterov && this->settings_of(layer).beta != 1; }
  Matrix<T, Space> const& M(int layer) const { return this->state(0, layer); }

  Tools<T> tools_;
  std::vector<Matrix<T, Space>> ahead_;  ///< layer: M, or the look-ahead
  Scalar<double, Space> one_, dual_;
};

extern template class Muon<float>;
extern template class Muon<double>;

}  // namespace kaon

#endif
