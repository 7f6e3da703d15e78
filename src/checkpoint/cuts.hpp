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

/// Every rank's slab of every field, gathered by one collective operation.
class Cuts {
 public:
  /// Collective.
  Cuts(Communicator const& comm, Registry const& registry);
  /// In rank order.
  std::vector<Cut> of(std::size_t field) const;

 private:
  std::size_t fields_;
  std::vector<Cut> all_;  // rank, field
};

/// True when the cuts cover [0, extent) exactly once.
bool covers(std::vector<Cut> cuts, std::uint64_t extent);

/// What a slab holds of one integrity block: `bytes` bytes from the slab's byte `at` on, row-major.
struct BlockPart {
  std::uint64_t block = 0;
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
  bool complete = false;  ///< it is the whole block
};

/// The parts of all blocks that a slab of the field touches: together the slab, in the order of its bytes.
std::vector<BlockPart> block_parts(Blocks const& blocks, Field const& field, Cut const& slab);

/// Collective: hashes the blocks that several ranks have parts of into hashes[block], on the rank that holds the block's first
/// leading index, which is sent the rest; the others stay as they are. `mine` has, one after the other, the bytes of the
/// incomplete parts of this rank's slab.
void hash_shared_blocks(Communicator const& comm, Blocks const& blocks, Field const& field, std::vector<Cut> const& cuts,
                        std::vector<unsigned char> const& mine, std::uint64_t* hashes);

/// Collective: gives every rank all hashes; each one is zero on all ranks but its own.
void combine(Communicator const& comm, std::vector<std::uint64_t>& hashes);

}  // namespace kaon

#endif
