#ifndef KAON_CHECKPOINT_CUTS_HPP
#define KAON_CHECKPOINT_CUTS_HPP

#include <kaon/checkpoint/blocks.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/state/registry.hpp>

#include <cstdint>
#include <vector>

namespace kaon {

/// The slab of leading indices that one rank writes.
struct Cut {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// Collective: every rank's slab of a field, in rank order.
std::vector<Cut> gather_cuts(Communicator const& comm, Field const& field);

/// True when the cuts cover [0, extent) exactly once.
bool covers(std::vector<Cut> cuts, std::uint64_t extent);

/// Collective: hashes this rank's share of a field's blocks into hashes[block]; the others stay as they are. `mine` is this
/// rank's slab, row-major. A block that several ranks write is put together by the one that holds its first leading index.
void hash_blocks(Communicator const& comm, Blocks const& blocks, Field const& field, std::vector<Cut> const& cuts,
                 unsigned char const* mine, std::uint64_t* hashes);

/// Collective: gives every rank all hashes; each one is zero on all ranks but its own.
void combine(Communicator const& comm, std::vector<std::uint64_t>& hashes);

}  // namespace kaon

#endif
