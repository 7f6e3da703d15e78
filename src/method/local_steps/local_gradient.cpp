#include <kaon/method/local_steps/local_gradient.hpp>

#include <kaon/linalg/elementwise.hpp>

namespace kaon {

template <class T>
LayerFlows LocalGradient<T>::flows(int layer) const {
  auto f = Ef21Muon<T>::flows(layer);
  f.shared_sums = true;
  return f;
}

template <class T>
void LocalGradient<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) {
  this->place_state(plan, rank, W);
  this->make_oracles(plan, rank, plan.workers_at(rank).count > 0, true);
  points_ = std::make_unique<RoundArrays<T>>(this->of_, plan, rank, "/ef21-muon/workers/point/", W);
  sums_ = std::make_unique<RoundArrays<T>>(this->of_, plan, rank, "/ef21-muon/workers/gradient_sum/",
                                           std::vector<Matrix<T, Space>>());
}

template <class T>
void LocalGradient<T>::initialize(Space const& exec) {
  Ef21Muon<T>::initialize(exec);
  points_->set_at_rest(true);
  sums_->set_at_rest(true);
}

template <class T>
void LocalGradient<T>::on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) {
  InPhase const phase(cx.timer, Phase::sum);
  auto const sum = (*sums_)(layer, worker);
  if (cx.in_round == 0)
    copy<T>(cx.exec, sum, gradient);
  else
    axpy<T>(cx.exec, sum, T(1), gradient);
}

template <class T>
void LocalGradient<T>::walk(StepContext<T>& cx, int layer, int worker) {
  auto const sum = (*sums_)(layer, worker);
  points_->set_at_rest(cx.round_ends);
  sums_->set_at_rest(cx.round_ends);
  if (!cx.round_ends) {
    InPhase const phase(cx.timer, Phase::lmo);
    auto const theta = (*points_)(layer, worker);
    if (cx.in_round == 0) copy<T>(cx.exec, theta, cx.W[static_cast<std::size_t>(layer)]);
    double const length = this->of_.optimizer.local.walk * this->settings_of(layer).radius * cx.multiplier;
    this->move_by_oracle(cx, layer, theta, sum, length, 0, Vector<double, Space>());
  } else if (this->state_->at_home(layer, worker)) {
    if (cx.in_round > 0) scale<T>(cx.exec, sum, T(1) / static_cast<T>(cx.in_round + 1));
    Ef21Muon<T>::on_gradient(cx, layer, worker, sum);
  }
}

template <class T>
void LocalGradient<T>::register_state(Registry& registry) const {
  Ef21Muon<T>::register_state(registry);
  points_->register_state(registry);
  sums_->register_state(registry);
}

template class LocalGradient<float>;
template class LocalGradient<double>;

}  // namespace kaon
