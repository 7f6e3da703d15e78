#ifndef KAON_RUN_TOTALS_HPP
#define KAON_RUN_TOTALS_HPP

#include <kaon/exchange/exchange.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/state/registry.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace kaon {

/// What a run has cost so far, over all ranks and all restarts.
struct Totals {
  std::uint64_t steps = 0;
  std::uint64_t samples = 0;                   ///< tokens (or samples) that gradients consumed, all workers
  std::uint64_t bytes_up = 0, bytes_down = 0;  ///< algorithmic, headers included (see ByteCount)
  std::uint64_t wire_up = 0, wire_down = 0;    ///< given to MPI: depends on the ranks, so it is provenance and no state

  /// "/counters/…", each one u64; rank 0 writes them, every rank takes them back. The object must outlive the registry.
  void register_state(Registry& registry, int rank);
  void to_provenance(std::map<std::string, std::string>& provenance) const;
  void from_provenance(std::map<std::string, std::string> const& provenance);
};

/// Adds what the exchange has counted since it was made, all ranks together, to the totals of before. Collective.
Totals add_exchange(Totals before, ByteCount const& mine, Communicator const& comm);

}  // namespace kaon

#endif
