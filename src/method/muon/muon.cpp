#include <kaon/method/muon/muon.hpp>

#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/method/load.hpp>

#include <cmath>

namespace kaon {

template <class T>
MethodTraits Muon<T>::traits() {
  return {"muon",
          "distributed Muon: dense gradients added on the way, momentum at the layer's owner, any norm's oracle",
          {"norm", "scale", "radius", "beta", "weight_decay"},
          {}};
}

template <class T>
Figures const& Muon<T>::figures() const {
  static Figures const all{
      {}, {"the momentum M", "W"}, {"gradient_norm"}, [](std::span<double const> squares, int) -> std::vector<double> {
        return {std::sqrt(squares[0])};
      }};
  return all;
}

template <class T>
Muon<T>::Muon(MethodLayers of)
    : DenseMethod<T>(std::move(of), "muon", {"M"}),
      tools_(this->of().layers, this->of().settings, std::vector<int>()),
      one_("kaon::method::one"),
      dual_("kaon::method::dual_norm") {
  Kokkos::deep_copy(one_, 1.0);
}

template <class T>
double Muon<T>::cost(int layer) const {
  return oracle_cost(this->layer_of(layer), this->settings_of(layer));
}

template <class T>
void Muon<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) {
  DenseMethod<T>::place(plan, rank, W);
  tools_.make_oracles(this->of().layers, this->of().settings, served_of(this->of().mine, plan, rank));
  ahead_.resize(W.size());
  for (int const layer : this->of().mine) {
    auto const i = static_cast<std::size_t>(layer);
    ahead_[i] = M(layer);
    if (this->serves(layer) && looks_ahead(layer))
      ahead_[i] = Matrix<T, Space>("kaon::method::look_ahead", W[i].extent(0), W[i].extent(1));
  }
}

template <class T>
void Muon<T>::on_gradient(StepContext<T>& cx, int layer, int, ConstMatrix<T, Space> const& gradient) {
  InPhase const phase(cx.timer, Phase::aggregate);
  auto const& ahead = ahead_[static_cast<std::size_t>(layer)];
  T const beta = cx.dense ? T(1) : static_cast<T>(this->settings_of(layer).beta);
  if (beta == T(1))
    copy<T>(cx.exec, M(layer), gradient);
  else
    lerp<T>(cx.exec, M(layer), beta, gradient);
  if (!looks_ahead(layer)) return;
  if (beta == T(1))
    copy<T>(cx.exec, ahead, M(layer));
  else
    blend<T>(cx.exec, ahead, M(layer), gradient, beta);
}

template <class T>
void Muon<T>::serve(StepContext<T>& cx, int layer) {
  auto const i = static_cast<std::size_t>(layer);
  bool const adaptive = this->of().optimizer.adaptive;
  auto const& s = this->settings_of(layer);
  {
    InPhase const phase(cx.timer, Phase::lmo);
    auto& lmo = tools_.lmo(layer);
    auto const z = cx.staging.scratch(0, this->layer_of(layer));
    lmo.apply(cx.exec, z, ahead_[i]);
    if (adaptive) lmo.dual_norm(cx.exec, dual_, ahead_[i], z);
    move_along<T>(cx.exec, cx.W[i], z, s.radius * cx.multiplier, adaptive ? dual_ : one_, s.decay, cx.motion_of(layer),
                  static_cast<double>(cx.step + 1));
  }
  this->send(cx, layer);
  if (!cx.measure || !this->owns(layer)) return;
  cx.measure->template server<T>(cx.exec, layer, 0, ahead_[i]);
  cx.measure->template server<T>(cx.exec, layer, 1, cx.W[i]);
}

template class Muon<float>;
template class Muon<double>;

}  // namespace kaon
