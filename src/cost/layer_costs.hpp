#ifndef KAON_COST_LAYER_COSTS_HPP
#define KAON_COST_LAYER_COSTS_HPP

#include <kaon/cost/cost_model.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/method/settings.hpp>

#include <vector>

namespace kaon {

/// What the model needs of every layer, timed on this rank: each distinct oracle and compressor, and for each distinct shape the
/// passes around them, `repetitions` times after a warm-up call and with caches that hold something else, as in a step; medians
/// count. Of methods with factors (Method::factor_columns) their products are timed, and what makes them orthonormal. Packets are
/// those of Gaussian numbers. Of a method whose gradients are added on the way every worker's is counted, also where a rank sends
/// one sum of several. With local steps the costs are those of a step that ends a round. Allocates; waits.
template <class T>
std::vector<LayerCost> measure_layers(Space const& exec, std::vector<Layer> const& layers,
                                      std::vector<LayerSettings> const& settings, int repetitions = 3,
                                      OptimizerSettings const& optimizer = {});

extern template std::vector<LayerCost> measure_layers<float>(Space const&, std::vector<Layer> const&,
                                                             std::vector<LayerSettings> const&, int, OptimizerSettings const&);
extern template std::vector<LayerCost> measure_layers<double>(Space const&, std::vector<Layer> const&,
                                                              std::vector<LayerSettings> const&, int, OptimizerSettings const&);

}  // namespace kaon

#endif
