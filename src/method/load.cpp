#include <kaon/method/load.hpp>

#include <kaon/core/error.hpp>

namespace kaon {

double oracle_cost(Layer const& layer, LayerSettings const& settings) {
  try {
    return lmo_cost(settings.lmo, layer.rows, layer.cols);
  } catch (UsageError const& e) {
    throw UsageError("layer " + layer.name + ": " + e.what());
  }
}

std::vector<bool> served_of(std::vector<int> const& mine, Plan const& plan, int rank) {
  std::vector<bool> served(static_cast<std::size_t>(plan.layers()));
  for (int const i : mine) served[static_cast<std::size_t>(i)] = plan.serves(rank, i);
  return served;
}

}  // namespace kaon
