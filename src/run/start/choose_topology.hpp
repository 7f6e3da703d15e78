#ifndef KAON_RUN_START_CHOOSE_TOPOLOGY_HPP
#define KAON_RUN_START_CHOOSE_TOPOLOGY_HPP

#include <kaon/cost/cost_model.hpp>
#include <kaon/cost/link_speed.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/method/settings.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/objective/objective.hpp>
#include <kaon/run/records/log.hpp>

#include <array>
#include <vector>

namespace kaon {

/// What a choice is made from, the same numbers on every rank.
struct TopologyInputs {
  LinkReport link;
  StepCost cost;
  std::vector<LayerLoad> loads;
};

/// Predicted seconds a step, in the order of all_topologies; with local steps those of a round over its steps.
std::array<StepTime, all_topologies.size()> estimate_topologies(TopologyInputs const& in, OptimizerSettings const& optimizer,
                                                                std::vector<int> const& nodes, int micro_batches);

/// The topology with the smallest of those estimates; of equal ones the first.
Topology fastest(std::array<StepTime, all_topologies.size()> const& estimates);

/// The topology that the deck names. For `auto`: measures the link, and on rank 0 oracles and compressors, for about a second;
/// takes forward and backward for 2 and 4 flop per weight and sample at the speed of a product of two 512×512 matrices, since no
/// gradient has been computed yet; predicts a step of each topology, prints the estimates, and takes the fastest (of equal ones
/// the first of all_topologies; rank 0 decides). Collective; the same on every rank.
template <class T>
Topology choose_topology(Deck const& deck, Communicator const& comm, Log const& log, Objective<T> const& objective,
                         std::vector<LayerSettings> const& layers, OptimizerSettings const& optimizer);

}  // namespace kaon

#endif
