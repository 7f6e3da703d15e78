#ifndef KAON_RUN_CHOOSE_TOPOLOGY_HPP
#define KAON_RUN_CHOOSE_TOPOLOGY_HPP

#include <kaon/deck/deck.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/objective/objective.hpp>
#include <kaon/optimizer/settings.hpp>
#include <kaon/run/log.hpp>

#include <vector>

namespace kaon {

/// The topology that the deck names. Collective; the same on every rank.
template <class T>
Topology choose_topology(Deck const& deck, Communicator const& comm, Log const& log, Objective<T> const& objective,
                         std::vector<LayerSettings> const& layers, OptimizerSettings const& optimizer);

}  // namespace kaon

#endif
