#include <kaon/method/muon/muon.hpp>

#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/method/dense.hpp>
#include <kaon/method/load.hpp>
#include <kaon/method/owned.hpp>

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
    : of_(std::move(of)),
      tools_(of_.layers, of_.settings, of_.mine),
      one_("kaon::method::one"),
      dual_("kaon::method::dual_norm") {
  Kokkos::deep_copy(one_, 1.0);
}

template <class T>
LayerFlows Muon<T>::flows(int layer) const {
  auto f = dense_flows<T>(of_.layers[static_cast<std::size_t>(layer)], tools_.dense(layer));
  f.up = Up::ordered_sum;
  return f;
}

template <class T>
double Muon<T>::cost(int layer) const {
  return oracle_cost(of_.layers[static_cast<std::size_t>(layer)], settings_of(layer));
}

template <class T>
void Muon<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) {
  served_ = served_of(of_.mine, plan, rank);
  owned_ = owned_of(of_.mine, plan, rank);
  tools_.make_oracles(of_.layers, of_.settings, served_);
  M_ = owned_matrices<T>("kaon::method::M", of_.layers, served_);
  ahead_ = M_;
  for (std::size_t i = 0; i < M_.size(); ++i)
    if (served_[i] && looks_ahead(static_cast<int>(i)))
      ahead_[i] = Matrix<T, Space>("kaon::method::look_ahead", W[i].extent(0), W[i].extent(1));
}

template <class T>
void Muon<T>::initialize(Space const& exec) {
  for (auto const& m : M_) Kokkos::deep_copy(exec, m, T(0));
}

template <class T>
void Muon<T>::on_gradient(StepContext<T>& cx, int layer, int, ConstMatrix<T, Space> const& gradient) {
  InPhase const phase(cx.timer, Phase::aggregate);
  auto const i = static_cast<std::size_t>(layer);
  T const beta = cx.dense ? T(1) : static_cast<T>(settings_of(layer).beta);
  if (beta == T(1))
    copy<T>(cx.exec, M_[i], gradient);
  else
    lerp<T>(cx.exec, M_[i], beta, gradient);
  if (!looks_ahead(layer)) return;
  if (beta == T(1))
    copy<T>(cx.exec, ahead_[i], M_[i]);
  else
    blend<T>(cx.exec, ahead_[i], M_[i], gradient, beta);
}

template <class T>
void Muon<T>::serve(StepContext<T>& cx, int layer) {
  auto const i = static_cast<std::size_t>(layer);
  {
    InPhase const phase(cx.timer, Phase::lmo);
    auto& lmo = tools_.lmo(layer);
    auto const z = cx.staging.scratch(0, of_.layers[i]);
    lmo.apply(cx.exec, z, ahead_[i]);
    if (of_.optimizer.adaptive) lmo.dual_norm(cx.exec, dual_, ahead_[i], z);
    move_along<T>(cx.exec, cx.W[i], z, settings_of(layer).radius * cx.multiplier, of_.optimizer.adaptive ? dual_ : one_,
                  settings_of(layer).decay, cx.motion_of(layer), static_cast<double>(cx.step + 1));
  }
  send_model<T>(cx, layer, tools_.dense(layer));
  if (!cx.measure || !owned_[i]) return;
  cx.measure->template server<T>(cx.exec, layer, 0, ahead_[i]);
  cx.measure->template server<T>(cx.exec, layer, 1, cx.W[i]);
}

template <class T>
void Muon<T>::follow(StepContext<T>& cx, int layer) {
  take_model<T>(cx, layer, of_.layers[static_cast<std::size_t>(layer)].name, tools_.dense(layer));
}

template <class T>
void Muon<T>::register_state(Registry& registry) const {
  for (int const layer : of_.mine) register_owned<T>(registry, "/muon/M/", of_.layers, layer, owned_, served_, M_);
}

template <class T>
double Muon<T>::check(Communicator const& comm, double) const {
  refuse_not_finite<T>(comm, of_.layers, M_, "M");
  return 0;
}

template class Muon<float>;
template class Muon<double>;

}  // namespace kaon
