#include <kaon/method/adamw/adamw.hpp>
#include <kaon/method/ef21_muon/traits.hpp>

#include <cmath>

namespace kaon {

namespace {

// In [0, 1), or in (0, 1].
Key own_key(char const* name, char const* fallback, bool positive, char const* help) {
  return {.section = "group",
          .name = name,
          .type = KeyType::real,
          .fallback = fallback,
          .low = 0,
          .high = 1,
          .low_open = positive,
          .high_open = !positive,
          .help = help};
}

}  // namespace

template <class T>
MethodTraits AdamW<T>::traits() {
  MethodTraits all{
      "adamw",
      "AdamW, data-parallel and dense: gradients added on the way, averages at the layer's owner; radius is the learning rate; "
      "with optimizer.local_steps compressed both ways",
      {"radius", "weight_decay", "uplink", "downlink"},
      {own_key("adam_beta1", "0.9", false, "method adamw: weight of the OLD average of the gradient (unlike beta)"),
       own_key("adam_beta2", "0.95", false, "method adamw: weight of the OLD average of the squared gradient"),
       own_key("adam_epsilon", "1e-08", true, "method adamw: added to the root of the average of squares")}};
  all.rounds_only = {"uplink", "downlink"};
  for (auto& key : ef21_muon::feedback_keys()) {
    all.rounds_only.push_back(key.name);
    all.keys.push_back(std::move(key));
  }
  return all;
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
AdamW<T>::AdamW(MethodLayers of)
    : DenseMethod<T>(std::move(of), "adamw", {"m", "v"}), constants_(adam_constants(traits(), this->of())) {}

template <class T>
double AdamW<T>::cost(int layer) const {
  return 12.0 * this->layer_of(layer).rows * this->layer_of(layer).cols;
}

template <class T>
void AdamW<T>::on_gradient(StepContext<T>& cx, int layer, int, ConstMatrix<T, Space> const& gradient) {
  InPhase const phase(cx.timer, Phase::aggregate);
  auto const& c = constants_[static_cast<std::size_t>(layer)];
  adam_averages<T>(cx.exec, this->state(m, layer), this->state(v, layer), gradient, c.beta1, c.beta2);
}

template <class T>
void AdamW<T>::serve(StepContext<T>& cx, int layer) {
  auto const i = static_cast<std::size_t>(layer);
  {
    InPhase const phase(cx.timer, Phase::lmo);
    auto step = constants_[i];
    step.rate *= cx.multiplier;
    step.t = cx.step + 1;
    adam_move<T>(cx.exec, cx.W[i], this->state(m, layer), this->state(v, layer), step);
  }
  this->send(cx, layer);
  if (!cx.measure || !this->owns(layer)) return;
  cx.measure->template server<T>(cx.exec, layer, 0, this->state(m, layer));
  cx.measure->template server<T>(cx.exec, layer, 1, cx.W[i]);
}

std::vector<AdamStep> adam_constants(MethodTraits const& traits, MethodLayers const& of) {
  std::vector<AdamStep> all(of.layers.size());
  for (int const layer : of.mine) {
    auto const i = static_cast<std::size_t>(layer);
    auto const& s = of.settings[i];
    auto const key = [&](char const* name) { return own_number(traits, of.layers[i], s, name); };
    all[i] = {s.radius, s.decay, key("adam_beta1"), key("adam_beta2"), key("adam_epsilon"), 1};
  }
  return all;
}

template class AdamW<float>;
template class AdamW<double>;

}  // namespace kaon
