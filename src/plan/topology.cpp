#include <kaon/plan/topology.hpp>

#include <kaon/core/error.hpp>

namespace kaon {

std::string name_of(Topology topology) {
  switch (topology) {
    case Topology::sharded:
      return "sharded";
    case Topology::dedicated:
      return "dedicated";
    case Topology::replicated:
      return "replicated";
  }
  return "";
}

Topology topology_named(std::string const& name) {
  for (auto const t : all_topologies)
    if (name_of(t) == name) return t;
  throw UsageError("unknown topology '" + name + "'; known: sharded, dedicated, replicated");
}

}  // namespace kaon
