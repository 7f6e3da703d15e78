#ifndef KAON_METHOD_ADAMW_ADAMW_HPP
#define KAON_METHOD_ADAMW_ADAMW_HPP

#include <kaon/linalg/adam.hpp>
#include <kaon/method/dense.hpp>
#include <kaon/method/registry.hpp>

#include <memory>
#include <vector>

namespace kaon {

/// AdamW (arXiv 1711.05101, Algorithm 2), data-parallel and dense: gradients are added on the way, the averages live at the
/// layer's owner alone, and W is sent to all. The layer's radius times the schedule is the learning rate, its decay the decoupled
/// weight decay; own keys adam_beta1, adam_beta2 (weights of the OLD averages), adam_epsilon. Model-sized arrays: W on every
/// rank, two averages at the owner.
template <class T>
class AdamW : public DenseMethod<T> {
 public:
  static MethodTraits traits();
  static std::unique_ptr<Method<T>> make(MethodLayers of) { return std::make_unique<AdamW>(std::move(of)); }
  explicit AdamW(MethodLayers of);

  double cost(int layer) const override;
  void on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) override;
  void serve(StepContext<T>& cx, int layer) override;
  Figures const& figures() const override;

 private:
  enum Array : std::size_t { m, v };
  std::vector<AdamStep> constants_;  ///< layer
};

/// What adam_move() is given of every layer of `of`, before schedule and step. Throws UsageError that names layer and key.
std::vector<AdamStep> adam_constants(MethodTraits const& traits, MethodLayers const& of);

extern template class AdamW<float>;
extern template class AdamW<double>;

}  // namespace kaon

#endif
