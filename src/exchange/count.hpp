#ifndef KAON_EXCHANGE_COUNT_HPP
#define KAON_EXCHANGE_COUNT_HPP

#include <cstdint>

namespace kaon {

/// Bytes as one rank counts them: add all ranks'.
struct ByteCount {
  std::uint64_t up = 0;    ///< algorithmic: every R_j of every worker, header included
  std::uint64_t down = 0;  ///< algorithmic: every S once for each of the n workers that receive it, header included
  std::uint64_t wire_up = 0, wire_down = 0;  ///< given to MPI, headers included
  std::uint64_t wire_sum = 0;                ///< given to MPI inside the groups of ranks of one worker: uncompressed partial sums

  ByteCount& operator+=(ByteCount const& o) {
    up += o.up, down += o.down, wire_up += o.wire_up, wire_down += o.wire_down, wire_sum += o.wire_sum;
    return *this;
  }
  bool operator==(ByteCount const&) const = default;
};

}  // namespace kaon

#endif
