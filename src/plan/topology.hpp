#ifndef KAON_PLAN_TOPOLOGY_HPP
#define KAON_PLAN_TOPOLOGY_HPP

#include <array>
#include <string>

namespace kaon {

/// Who plays the server. The results have the same bits.
///   sharded     every layer has an owner among all ranks, which gathers its packets and sends the shift to the others
///   dedicated   rank 0 is the server of all layers and computes no gradients (the paper's client and server)
///   replicated  every packet goes to every rank, and every rank plays the server for all layers: nothing is sent down
enum class Topology { sharded, dedicated, replicated };

inline constexpr std::array<Topology, 3> all_topologies{Topology::sharded, Topology::dedicated, Topology::replicated};

std::string name_of(Topology topology);
/// Throws UsageError for a name that is none.
Topology topology_named(std::string const& name);

}  // namespace kaon

#endif
