#ifndef KAON_RUN_RECORDS_TOTALS_HPP
#define KAON_RUN_RECORDS_TOTALS_HPP

#include <kaon/exchange/exchange.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/run/records/byte_columns.hpp>
#include <kaon/state/registry.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace kaon {

/// What a run has cost so far, over all ranks and all restarts.
struct Totals {
  std::uint64_t steps = 0;
  std::uint64_t samples = 0;      ///< tokens (or samples) that gradients consumed, all workers
  ByteCount bytes;                ///< all of them; algorithmic up and down are state, the rest is provenance
  std::vector<ByteCount> groups;  ///< the same bytes by group of layers; provenance

  /// "/counters/…", each one u64; rank 0 writes them, every rank takes them back. The object must outlive the registry.
  void register_state(Registry& registry, int rank);
  void to_provenance(std::map<std::string, std::string>& provenance) const;
  /// Of files that do not say what was received: received_as_sent(). Takes algorithmic up and down as they are.
  void from_provenance(std::map<std::string, std::string> const& provenance);
};

/// A count as numbers to be summed over ranks, and back.
void to_numbers(ByteCount const& count, std::span<double> out);
ByteCount from_numbers(std::span<double const> in);

/// Adds what the exchange has counted since it was made, all ranks together, to the totals of before: `mine` in all, `by_group`
/// the same for each group of layers. Collective.
Totals add_exchange(Totals before, ByteCount const& mine, std::vector<ByteCount> const& by_group, Communicator const& comm);

}  // namespace kaon

#endif
