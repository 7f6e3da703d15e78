#ifndef KAON_METHOD_LOCAL_STEPS_LOCAL_ADAMW_HPP
#define KAON_METHOD_LOCAL_STEPS_LOCAL_ADAMW_HPP

#include <kaon/method/adamw/adamw.hpp>
#include <kaon/method/local_steps/local_update.hpp>

namespace kaon {

/// Local steps of AdamW (arXiv 1711.05101, Algorithm 2, at θ_j with averages m_j, v_j that are kept over the rounds and never
/// averaged over workers); messages and the outer step are LocalUpdate's. Model-sized arrays, beside LocalUpdate's: m_j, v_j for
/// each worker computed here.
template <class T>
class LocalAdamW : public LocalUpdate<T> {
 public:
  explicit LocalAdamW(MethodLayers of);

  void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) override;
  void initialize(Space const& exec) override;
  void on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) override;
  void register_state(Registry& registry) const override;

 protected:
  void inner_step(StepContext<T>& cx, int layer, int worker, Matrix<T, Space> const& theta) override;

 private:
  std::vector<AdamStep> constants_;  // layer
  std::unique_ptr<WorkerArrays<T>> m_, v_;
};

extern template class LocalAdamW<float>;
extern template class LocalAdamW<double>;

}  // namespace kaon

#endif
