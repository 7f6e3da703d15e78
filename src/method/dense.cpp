#include <kaon/method/dense.hpp>

#include <kaon/core/error.hpp>
#include <kaon/method/decode.hpp>
#include <kaon/method/load.hpp>
#include <kaon/state/fields.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {

template <class T>
LayerFlows dense_flows(Layer const& layer, Compressor<T, Space> const& identity) {
  LayerFlows f;
  f.layer_name = layer.name;
  f.up_encoding = f.down_encoding = f.dense_encoding = encoding_of(identity.spec());
  f.up_bound = f.down_bound = identity.bytes_bound();
  f.sum_bytes = (static_cast<std::size_t>(layer.rows) * static_cast<std::size_t>(layer.cols) * sizeof(T) + 7) / 8 * 8;
  return f;
}

template <class T>
DenseMethod<T>::DenseMethod(MethodLayers of, std::string name, std::vector<std::string> state)
    : of_(std::move(of)), name_(std::move(name)), names_(std::move(state)), identity_(of_.layers.size()) {
  for (int const i : of_.mine)
    identity_[static_cast<std::size_t>(i)] = make_compressor<T, Space>("identity", layer_of(i).rows, layer_of(i).cols);
}

template <class T>
LayerFlows DenseMethod<T>::flows(int layer) const {
  auto f = dense_flows<T>(layer_of(layer), *identity_[static_cast<std::size_t>(layer)]);
  f.up = Up::ordered_sum;
  return f;
}

template <class T>
void DenseMethod<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const&) {
  served_ = served_of(of_.mine, plan, rank);
  owned_.resize(of_.layers.size());
  for (int const i : of_.mine) owned_[static_cast<std::size_t>(i)] = plan.owner_of(i) == rank;
  for (auto const& name : names_) {
    auto& all = arrays_.emplace_back(of_.layers.size());
    for (int const i : of_.mine)
      if (serves(i))
        all[static_cast<std::size_t>(i)] = Matrix<T, Space>("kaon::method::" + name, static_cast<std::size_t>(layer_of(i).rows),
                                                            static_cast<std::size_t>(layer_of(i).cols));
  }
}

template <class T>
void DenseMethod<T>::initialize(Space const& exec) {
  for (auto const& all : arrays_)
    for (auto const& a : all) Kokkos::deep_copy(exec, a, T(0));
}

template <class T>
void send_model(StepContext<T>& cx, int layer, Compressor<T, Space>& identity) {
  InPhase const phase(cx.timer, Phase::send);
  if (!cx.exchange.sends_down()) return cx.exchange.keep_down(layer, identity.bytes_bound());
  auto const length = cx.staging.encode(cx.exec, identity, cx.W[static_cast<std::size_t>(layer)], Matrix<T, Space>(), {},
                                        cx.exchange.down_payload(layer));
  cx.exchange.post_down(layer, length);
}

template <class T>
void take_model(StepContext<T>& cx, int layer, std::string const& name, Compressor<T, Space>& identity) {
  auto const in = cx.exchange.take_down(layer);
  decode(cx.exchange.down_step(layer), name, -1,
         [&] { cx.staging.apply(cx.exec, identity, cx.W[static_cast<std::size_t>(layer)], in); });
}

template <class T>
void DenseMethod<T>::follow(StepContext<T>& cx, int layer) {
  take_model<T>(cx, layer, layer_of(layer).name, *identity_[static_cast<std::size_t>(layer)]);
}

template <class T>
void DenseMethod<T>::register_state(Registry& registry) const {
  for (int const i : of_.mine) {
    std::vector<std::uint64_t> const shape{static_cast<std::uint64_t>(layer_of(i).rows),
                                           static_cast<std::uint64_t>(layer_of(i).cols)};
    for (std::size_t k = 0; k < names_.size(); ++k) {
      registry.push_back(view_field("/" + name_ + "/" + names_[k] + "/" + layer_of(i).name, shape,
                                    owns(i) ? whole(shape) : kaon::nothing(shape),
                                    serves(i) ? whole(shape) : kaon::nothing(shape), state(k, i)));
      registry.back().resize = Resize::kept;
    }
  }
}

template <class T>
double DenseMethod<T>::check(Communicator const& comm, double) const {
  std::string trouble;
  for (std::size_t k = 0; k < names_.size(); ++k)
    for (int const i : of_.mine) {
      auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, state(k, i));
      if (!std::all_of(host.data(), host.data() + host.size(), [](T x) { return std::isfinite(x); }))
        trouble = "layer " + layer_of(i).name + ": " + names_[k] + " has a NaN or an infinity";
    }
  for (auto const& t : comm.gather(trouble))
    if (!t.empty()) throw InputError("the state is not consistent: " + t);
  return 0;
}

template LayerFlows dense_flows<float>(Layer const&, Compressor<float, Space> const&);
template LayerFlows dense_flows<double>(Layer const&, Compressor<double, Space> const&);
template void send_model<float>(StepContext<float>&, int, Compressor<float, Space>&);
template void send_model<double>(StepContext<double>&, int, Compressor<double, Space>&);
template void take_model<float>(StepContext<float>&, int, std::string const&, Compressor<float, Space>&);
template void take_model<double>(StepContext<double>&, int, std::string const&, Compressor<double, Space>&);
template class DenseMethod<float>;
template class DenseMethod<double>;

}  // namespace kaon
