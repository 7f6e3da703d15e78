#include <kaon/method/load.hpp>

#include <kaon/core/error.hpp>
#include <kaon/exchange/packet.hpp>

#include <algorithm>

namespace kaon {

LayerLoad load_of(Layer const& layer, LayerSettings const& settings, std::size_t up_bound, std::size_t down_bound) {
  try {
    return {lmo_cost(settings.lmo, layer.rows, layer.cols), packet_header_bytes + std::max(up_bound, down_bound)};
  } catch (UsageError const& e) {
    throw UsageError("layer " + layer.name + ": " + e.what());
  }
}

}  // namespace kaon
