#include <kaon/method/local_steps/local_update.hpp>

#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/state/fields.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {

namespace {

// Behind those of ef21-muon.
enum OfServer : std::size_t { update_before = 4, update_product };

std::vector<double> derive(std::span<double const> squares, int workers) {
  auto values = ef21_muon::figures().derive(squares.first(static_cast<std::size_t>(workers) * 3 + 4), workers);
  auto const* const server = &squares[static_cast<std::size_t>(workers) * 3];
  double const lengths = std::sqrt(server[ef21_muon::estimate]) * std::sqrt(server[update_before]);
  values.push_back(lengths > 0 ? server[update_product] / lengths : 0.0);
  return values;
}

}  // namespace

template <class T>
Figures const& LocalUpdate<T>::figures() const {
  static Figures const all{
      {"the update W - theta_j", "W - theta_j - G_j after the uplink", "W - theta_j - G_j before the uplink"},
      {"the mean update G", "W", "X - W after the downlink", "X - W before the downlink", "the mean update of the round before",
       "the product of successive mean updates"},
      {"alpha_up", "lag", "alpha_down", "gap", "update_norm", "update_correlation"},
      derive};
  return all;
}

template <class T>
LocalUpdate<T>::LocalUpdate(MethodLayers of, MethodTraits traits)
    : Ef21Muon<T>(std::move(of), traits, {.momentum = false, .values = true}), root_(traits.name) {}

template <class T>
LayerFlows LocalUpdate<T>::flows(int layer) const {
  auto f = Ef21Muon<T>::flows(layer);
  f.shared_sums = true;
  return f;
}

template <class T>
double LocalUpdate<T>::cost(int layer) const {
  if (this->of_.optimizer.local.outer == Outer::lmo) return Ef21Muon<T>::cost(layer);
  return 12.0 * this->layer_of(layer).rows * this->layer_of(layer).cols;
}

template <class T>
void LocalUpdate<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) {
  this->place_state(plan, rank, W);
  tells_ = plan.lead_of(0) == rank;
  points_ = std::make_unique<RoundArrays<T>>(this->of_, plan, rank, "/" + root_ + "/workers/point/", W);
  outer_.resize(W.size());
  std::size_t largest = 0;
  for (int const layer : this->of_.mine) {
    auto const i = static_cast<std::size_t>(layer);
    if (!this->state_->serves(layer)) continue;
    largest = std::max(largest, W[i].size());
    if (this->of_.optimizer.local.outer == Outer::nesterov)
      outer_[i] = Matrix<T, Space>("kaon::method::outer", W[i].extent(0), W[i].extent(1));
  }
  before_ = Vector<T, Space>("kaon::method::update_before", largest);
}

template <class T>
void LocalUpdate<T>::initialize(Space const& exec) {
  Ef21Muon<T>::initialize(exec);
  points_->set_at_rest(true);
  for (auto const& u : outer_) Kokkos::deep_copy(exec, u, T(0));
}

template <class T>
void LocalUpdate<T>::walk(StepContext<T>& cx, int layer, int worker) {
  auto const theta = (*points_)(layer, worker);
  {
    InPhase const phase(cx.timer, Phase::lmo);
    if (cx.in_round == 0) copy<T>(cx.exec, theta, cx.W[static_cast<std::size_t>(layer)]);
    inner_step(cx, layer, worker, theta);
  }
  points_->set_at_rest(cx.round_ends);
  if (cx.round_ends && this->state_->at_home(layer, worker)) send(cx, layer, worker, theta);
}

template <class T>
void LocalUpdate<T>::send(StepContext<T>& cx, int layer, int worker, Matrix<T, Space> const& theta) {
  InPhase const phase(cx.timer, Phase::compress);
  auto const& W = cx.W[static_cast<std::size_t>(layer)];
  bool const whole = this->tools_.uplink(layer).replaces();
  auto const update = cx.staging.scratch(0, this->layer_of(layer));
  if (!whole || cx.measure) difference<T>(cx.exec, update, W, theta);
  if (!whole) return this->compress(cx, layer, worker, update);
  if (cx.measure) {
    cx.measure->template worker<T>(cx.exec, layer, worker, ef21_muon::momentum, update);
    cx.measure->template worker<T>(cx.exec, layer, worker, ef21_muon::up_shift, update);
  }
  this->post_whole(cx, layer, worker, theta);
}

// The step of X along G, which is Δ but for θ̄ where the packets carry θ_j.
template <class T>
void LocalUpdate<T>::outer_step(StepContext<T>& cx, int layer) {
  auto const i = static_cast<std::size_t>(layer);
  auto const& local = this->of_.optimizer.local;
  auto const& X = this->state_->X(layer);
  auto const& G = this->state_->G(layer);
  T const rate = static_cast<T>(local.rate), momentum = static_cast<T>(local.momentum);
  bool const whole = this->tools_.uplink(layer).replaces();
  bool const exact = whole && this->tools_.downlink(layer).replaces();  // W = X
  if (local.outer == Outer::average && exact) {
    if (rate == T(1))
      copy<T>(cx.exec, X, G);
    else
      lerp<T>(cx.exec, X, rate, G);
  }
  if (whole) difference<T>(cx.exec, G, cx.W[i], G);
  switch (local.outer) {
    case Outer::average:
      if (!exact) axpy<T>(cx.exec, X, -rate, G);
      break;
    case Outer::nesterov:
      scale<T>(cx.exec, outer_[i], momentum);
      axpy<T>(cx.exec, outer_[i], T(1), G);
      axpy<T>(cx.exec, X, -rate, G);
      axpy<T>(cx.exec, X, -rate * momentum, outer_[i]);
      break;
    case Outer::lmo:
      this->move_by_oracle(cx, layer, X, G, local.rate * this->settings_of(layer).radius * cx.multiplier, 0,
                           Vector<double, Space>());
  }
}

template <class T>
void LocalUpdate<T>::serve(StepContext<T>& cx, int layer) {
  InPhase const phase(cx.timer, Phase::aggregate);
  auto const& G = this->state_->G(layer);
  Measure* const measure = this->state_->owns(layer) ? cx.measure : nullptr;
  Matrix<T, Space> const before(before_.data(), G.extent(0), G.extent(1));
  if (measure) copy<T>(cx.exec, before, G);
  this->gather(cx, layer);
  cx.timer.change(Phase::lmo);
  outer_step(cx, layer);
  if (measure) {
    measure->template server<T>(cx.exec, layer, update_before, before);
    measure->template server_dot<T>(cx.exec, layer, update_product, before, G);
  }
  cx.timer.change(Phase::compress);
  this->send_shift(cx, layer, G, measure);
}

template <class T>
void LocalUpdate<T>::register_state(Registry& registry) const {
  Ef21Muon<T>::register_state(registry);
  points_->register_state(registry);
  if (this->of_.optimizer.local.outer != Outer::nesterov) return;
  for (int const layer : this->of_.mine) {
    auto const& l = this->layer_of(layer);
    std::vector<std::uint64_t> const shape{static_cast<std::uint64_t>(l.rows), static_cast<std::uint64_t>(l.cols)};
    registry.push_back(view_field(
        "/" + root_ + "/server/outer/" + l.name, shape, this->state_->owns(layer) ? whole(shape) : kaon::nothing(shape),
        this->state_->serves(layer) ? whole(shape) : kaon::nothing(shape), outer_[static_cast<std::size_t>(layer)]));
    registry.back().resize = Resize::kept;
  }
}

template class LocalUpdate<float>;
template class LocalUpdate<double>;

}  // namespace kaon
