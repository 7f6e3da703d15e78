#include <kaon/run/choose_topology.hpp>

namespace kaon {

template <class T>
Topology choose_topology(Deck const& deck, Communicator const&, Log const&, Objective<T> const&,
                         std::vector<LayerSettings> const&, OptimizerSettings const&) {
  return topology_named(deck.text("exchange.topology"));
}

template Topology choose_topology<float>(Deck const&, Communicator const&, Log const&, Objective<float> const&,
                                         std::vector<LayerSettings> const&, OptimizerSettings const&);
template Topology choose_topology<double>(Deck const&, Communicator const&, Log const&, Objective<double> const&,
                                          std::vector<LayerSettings> const&, OptimizerSettings const&);

}  // namespace kaon
