#ifndef KAON_METHOD_LOAD_HPP
#define KAON_METHOD_LOAD_HPP

#include <kaon/exchange/flows.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/method/settings.hpp>
#include <kaon/plan/plan.hpp>

#include <vector>

namespace kaon {

/// lmo_cost() of the layer's oracle. Throws UsageError that names the layer.
double oracle_cost(Layer const& layer, LayerSettings const& settings);

/// What a plan balances by, in a run and in its prediction: what the server's work costs, and the longest packet of a steady
/// step. `kind`: layers of one method, which may share a message.
LayerLoad load_of(double cost, LayerFlows const& flows, int kind = 0);

/// Layer: whether it is one of `mine` and the rank plays the server for it.
std::vector<bool> served_of(std::vector<int> const& mine, Plan const& plan, int rank);

}  // namespace kaon

#endif
