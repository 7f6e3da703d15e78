#include <kaon/method/local_steps/local_muon.hpp>

#include <kaon/linalg/elementwise.hpp>

namespace kaon {

template <class T>
void LocalMuon<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) {
  LocalUpdate<T>::place(plan, rank, W);
  bool const computes = plan.workers_at(rank).count > 0;
  this->make_oracles(plan, rank, computes, this->of_.optimizer.local.outer == Outer::lmo);
  momenta_ = std::make_unique<WorkerArrays<T>>(this->of_, plan, rank, "/" + this->root() + "/workers/M/");
  if (this->of_.optimizer.nesterov)
    ahead_ = std::make_unique<WorkerArrays<T>>(this->of_, plan, rank, "/" + this->root() + "/look_ahead/");
}

template <class T>
void LocalMuon<T>::initialize(Space const& exec) {
  LocalUpdate<T>::initialize(exec);
  momenta_->zero(exec);
}

template <class T>
void LocalMuon<T>::on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) {
  InPhase const phase(cx.timer, Phase::lmo);
  bool const first = cx.step == 0 && this->of_.optimizer.start == Start::dense;
  T const beta = first ? T(1) : static_cast<T>(this->settings_of(layer).beta);
  auto const m = (*momenta_)(layer, worker);
  if (beta == T(1))
    copy<T>(cx.exec, m, gradient);
  else
    lerp<T>(cx.exec, m, beta, gradient);
  if (!ahead_) return;
  if (beta == T(1))
    copy<T>(cx.exec, (*ahead_)(layer, worker), m);
  else
    blend<T>(cx.exec, (*ahead_)(layer, worker), m, gradient, beta);
}

template <class T>
void LocalMuon<T>::inner_step(StepContext<T>& cx, int layer, int worker, Matrix<T, Space> const& theta) {
  auto const& s = this->settings_of(layer);
  this->move_by_oracle(cx, layer, theta, (*(ahead_ ? ahead_ : momenta_))(layer, worker), s.radius * cx.multiplier, s.decay,
                       this->told(cx, layer, worker));
}

template <class T>
void LocalMuon<T>::register_state(Registry& registry) const {
  LocalUpdate<T>::register_state(registry);
  momenta_->register_state(registry);
}

template class LocalMuon<float>;
template class LocalMuon<double>;

}  // namespace kaon
