#ifndef KAON_METHOD_ADAMW_ADAMW_HPP
#define KAON_METHOD_ADAMW_ADAMW_HPP

#include <kaon/compress/compressor.hpp>
#include <kaon/linalg/adam.hpp>
#include <kaon/method/method.hpp>
#include <kaon/method/registry.hpp>

#include <memory>
#include <vector>

namespace kaon {

/// AdamW (arXiv 1711.05101, Algorithm 2), data-parallel and dense: gradients are added on the way, the averages live at the
/// layer's owner alone, and W is sent to all. The layer's radius times the schedule is the learning rate, its decay the decoupled
/// weight decay; own keys adam_beta1, adam_beta2 (weights of the OLD averages), adam_epsilon. Model-sized arrays: W on every
/// rank, two averages at the owner.
template <class T>
class AdamW : public Method<T> {
 public:
  static MethodTraits traits();
  static std::unique_ptr<Method<T>> make(MethodLayers of) { return std::make_unique<AdamW>(std::move(of)); }
  explicit AdamW(MethodLayers of);

  LayerFlows flows(int layer) const override;
  double cost(int layer) const override;
  void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) override;
  void initialize(Space const& exec) override;
  void on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) override;
  void serve(StepContext<T>& cx, int layer) override;
  void follow(StepContext<T>& cx, int layer) override;
  void register_state(Registry& registry) const override;
  Figures const& figures() const override;
  double check(Communicator const& comm, double tolerance) const override;

 private:
  MethodLayers of_;
  std::vector<AdamStep> constants_;                              ///< layer
  std::vector<std::unique_ptr<Compressor<T, Space>>> identity_;  ///< layer
  std::vector<bool> owned_, served_;
  std::vector<Matrix<T, Space>> m_, v_;
};

extern template class AdamW<float>;
extern template class AdamW<double>;

}  // namespace kaon

#endif
