#ifndef KAON_EXCHANGE_COUNT_HPP
#define KAON_EXCHANGE_COUNT_HPP

#include <cstdint>

namespace kaon {

/// Bytes as one rank counts them: add all ranks'.
struct ByteCount {
  std::uint64_t up = 0;        ///< algorithmic: every R_j of every worker, header included
  std::uint64_t down = 0;      ///< algorithmic: every S once for each of the n workers that receive it, header included
  std::uint64_t received = 0;  ///< algorithmic: every packet once for each of the n workers and one server that receive it
  std::uint64_t wire_up = 0, wire_down = 0;  ///< given to MPI, headers included
  std::uint64_t wire_sum = 0;                ///< given to MPI inside the groups of ranks of one worker: uncompressed partial sums
  std::uint64_t wire_received = 0;           ///< delivered by MPI, of all three kinds: counted when a message is opened

  ByteCount& operator+=(ByteCount const& o) {
    up += o.up, down += o.down, received += o.received;
    wire_up += o.wire_up, wire_down += o.wire_down, wire_sum += o.wire_sum, wire_received += o.wire_received;
    return *this;
  }
  bool operator==(ByteCount const&) const = default;
};

}  // namespace kaon

#endif
