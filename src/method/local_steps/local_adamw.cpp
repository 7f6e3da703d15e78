#include <kaon/method/local_steps/local_adamw.hpp>

namespace kaon {

template <class T>
LocalAdamW<T>::LocalAdamW(MethodLayers of) : LocalUpdate<T>(std::move(of), AdamW<T>::traits()) {
  constants_ = adam_constants(AdamW<T>::traits(), this->of_);
}

template <class T>
void LocalAdamW<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) {
  LocalUpdate<T>::place(plan, rank, W);
  m_ = std::make_unique<WorkerArrays<T>>(this->of_, plan, rank, "/" + this->root() + "/workers/m/");
  v_ = std::make_unique<WorkerArrays<T>>(this->of_, plan, rank, "/" + this->root() + "/workers/v/");
}

template <class T>
void LocalAdamW<T>::initialize(Space const& exec) {
  LocalUpdate<T>::initialize(exec);
  m_->zero(exec);
  v_->zero(exec);
}

template <class T>
void LocalAdamW<T>::on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) {
  InPhase const phase(cx.timer, Phase::lmo);
  auto const& c = constants_[static_cast<std::size_t>(layer)];
  adam_averages<T>(cx.exec, (*m_)(layer, worker), (*v_)(layer, worker), gradient, c.beta1, c.beta2);
}

template <class T>
void LocalAdamW<T>::inner_step(StepContext<T>& cx, int layer, int worker, Matrix<T, Space> const& theta) {
  auto step = constants_[static_cast<std::size_t>(layer)];
  step.rate *= cx.multiplier;
  step.t = cx.step + 1;
  adam_move<T>(cx.exec, theta, (*m_)(layer, worker), (*v_)(layer, worker), step);
}

template <class T>
void LocalAdamW<T>::register_state(Registry& registry) const {
  LocalUpdate<T>::register_state(registry);
  m_->register_state(registry);
  v_->register_state(registry);
}

template class LocalAdamW<float>;
template class LocalAdamW<double>;

}  // namespace kaon
