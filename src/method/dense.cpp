#include <kaon/method/dense.hpp>

#include <kaon/method/decode.hpp>

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
void send_model(StepContext<T>& cx, int layer, Compressor<T, Space>& identity) {
  auto const& W = cx.W[static_cast<std::size_t>(layer)];
  InPhase const phase(cx.timer, Phase::send);
  if (!cx.exchange.sends_down()) return cx.exchange.keep_down(layer, identity.bytes_bound());
  auto const length = cx.staging.encode(cx.exec, identity, W, Matrix<T, Space>(), {}, cx.exchange.down_payload(layer));
  cx.exchange.post_down(layer, length);
}

template <class T>
void take_model(StepContext<T>& cx, int layer, std::string const& name, Compressor<T, Space>& identity) {
  auto const in = cx.exchange.take_down(layer);
  decode(cx.exchange.down_step(layer), name, -1,
         [&] { cx.staging.apply(cx.exec, identity, cx.W[static_cast<std::size_t>(layer)], in); });
}

template LayerFlows dense_flows<float>(Layer const&, Compressor<float, Space> const&);
template LayerFlows dense_flows<double>(Layer const&, Compressor<double, Space> const&);
template void send_model<float>(StepContext<float>&, int, Compressor<float, Space>&);
template void send_model<double>(StepContext<double>&, int, Compressor<double, Space>&);
template void take_model<float>(StepContext<float>&, int, std::string const&, Compressor<float, Space>&);
template void take_model<double>(StepContext<double>&, int, std::string const&, Compressor<double, Space>&);

}  // namespace kaon
