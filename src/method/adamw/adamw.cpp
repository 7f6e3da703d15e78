#include <kaon/method/adamw/adamw.hpp>

#include <kaon/method/dense.hpp>
#include <kaon/method/load.hpp>
#include <kaon/method/owned.hpp>

#include <cmath>

namespace kaon {

template <class T>
MethodTraits AdamW<T>::traits() {
  return {
      "adamw",
      "AdamW, data-parallel and dense: gradients added on the way, averages at the layer's owner; radius is the learning rate",
      {"radius", "weight_decay"},
      {{.name = "adam_beta1",
        .fallback = 0.9,
        .low = 0,
        .high = 1,
        .high_open = true,
        .help = "method adamw: weight of the OLD average of the gradient (unlike beta)"},
       {.name = "adam_beta2",
        .fallback = 0.95,
        .low = 0,
        .high = 1,
        .high_open = true,
        .help = "method adamw: weight of the OLD average of the squared gradient"},
       {.name = "adam_epsilon",
        .fallback = 1e-8,
        .low = 0,
        .high = 1,
        .low_open = true,
        .help = "method adamw: added to the root of the average of squares"}}};
}

template <class T>
Figures const& AdamW<T>::figures() const {
  static Figures const all{
      {}, {"the average m", "W"}, {"gradient_norm"}, [](std::span<double const> squares, int) -> std::vector<double> {
        return {std::sqrt(squares[0])};
      }};
  return all;
}

template <class T>
AdamW<T>::AdamW(MethodLayers of) : of_(std::move(of)), constants_(of_.layers.size()), identity_(of_.layers.size()) {
  auto const own = traits();
  for (int const layer : of_.mine) {
    auto const i = static_cast<std::size_t>(layer);
    auto const& s = of_.settings[i];
    auto const key = [&](char const* name) { return own_number(own, of_.layers[i], s, name); };
    constants_[i] = {s.radius, s.decay, key("adam_beta1"), key("adam_beta2"), key("adam_epsilon"), 1};
    identity_[i] = make_compressor<T, Space>("identity", of_.layers[i].rows, of_.layers[i].cols);
  }
}

template <class T>
LayerFlows AdamW<T>::flows(int layer) const {
  auto const i = static_cast<std::size_t>(layer);
  auto f = dense_flows<T>(of_.layers[i], *identity_[i]);
  f.up = Up::ordered_sum;
  return f;
}

template <class T>
double AdamW<T>::cost(int layer) const {
  auto const& l = of_.layers[static_cast<std::size_t>(layer)];
  return 12.0 * l.rows * l.cols;
}

template <class T>
void AdamW<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const&) {
  served_ = served_of(of_.mine, plan, rank);
  owned_ = owned_of(of_.mine, plan, rank);
  m_ = owned_matrices<T>("kaon::method::adam_m", of_.layers, served_);
  v_ = owned_matrices<T>("kaon::method::adam_v", of_.layers, served_);
}

template <class T>
void AdamW<T>::initialize(Space const& exec) {
  for (auto const* all : {&m_, &v_})
    for (auto const& m : *all) Kokkos::deep_copy(exec, m, T(0));
}

template <class T>
void AdamW<T>::on_gradient(StepContext<T>& cx, int layer, int, ConstMatrix<T, Space> const& gradient) {
  InPhase const phase(cx.timer, Phase::aggregate);
  auto const i = static_cast<std::size_t>(layer);
  adam_averages<T>(cx.exec, m_[i], v_[i], gradient, constants_[i].beta1, constants_[i].beta2);
}

template <class T>
void AdamW<T>::serve(StepContext<T>& cx, int layer) {
  auto const i = static_cast<std::size_t>(layer);
  {
    InPhase const phase(cx.timer, Phase::lmo);
    auto step = constants_[i];
    step.rate *= cx.multiplier;
    step.t = cx.step + 1;
    adam_move<T>(cx.exec, cx.W[i], m_[i], v_[i], step);
  }
  send_model<T>(cx, layer, *identity_[i]);
  if (!cx.measure || !owned_[i]) return;
  cx.measure->template server<T>(cx.exec, layer, 0, m_[i]);
  cx.measure->template server<T>(cx.exec, layer, 1, cx.W[i]);
}

template <class T>
void AdamW<T>::follow(StepContext<T>& cx, int layer) {
  auto const i = static_cast<std::size_t>(layer);
  take_model<T>(cx, layer, of_.layers[i].name, *identity_[i]);
}

template <class T>
void AdamW<T>::register_state(Registry& registry) const {
  for (int const layer : of_.mine) {
    register_owned<T>(registry, "/adamw/m/", of_.layers, layer, owned_, served_, m_);
    register_owned<T>(registry, "/adamw/v/", of_.layers, layer, owned_, served_, v_);
  }
}

template <class T>
double AdamW<T>::check(Communicator const& comm, double) const {
  refuse_not_finite<T>(comm, of_.layers, m_, "the average m");
  refuse_not_finite<T>(comm, of_.layers, v_, "the average v");
  return 0;
}

template class AdamW<float>;
template class AdamW<double>;

}  // namespace kaon
