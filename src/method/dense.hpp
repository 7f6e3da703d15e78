#ifndef KAON_METHOD_DENSE_HPP
#define KAON_METHOD_DENSE_HPP

#include <kaon/compress/compressor.hpp>
#include <kaon/method/method.hpp>

#include <memory>

namespace kaon {

/// What a layer sends that is never compressed: gradients added on the way, and W itself. `identity` is the identity compressor
/// of the layer's shape.
template <class T>
LayerFlows dense_flows(Layer const& layer, Compressor<T, Space> const& identity);

/// At a server: posts W of the layer as the downlink's packet, or counts it where no other rank is sent one.
template <class T>
void send_model(StepContext<T>& cx, int layer, Compressor<T, Space>& identity);

/// Elsewhere: W ← what the packet says.
template <class T>
void take_model(StepContext<T>& cx, int layer, std::string const& name, Compressor<T, Space>& identity);

}  // namespace kaon

#endif
