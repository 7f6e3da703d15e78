#ifndef KAON_METHOD_LOAD_HPP
#define KAON_METHOD_LOAD_HPP

#include <kaon/layer/layer.hpp>
#include <kaon/method/settings.hpp>
#include <kaon/plan/plan.hpp>

#include <vector>

namespace kaon {

/// lmo_cost() of the layer's oracle. Throws UsageError that names the layer.
double oracle_cost(Layer const& layer, LayerSettings const& settings);

/// Layer: whether it is one of `mine` and the rank plays the server for it.
std::vector<bool> served_of(std::vector<int> const& mine, Plan const& plan, int rank);

}  // namespace kaon

#endif
