#ifndef KAON_RUN_RECORDS_BYTE_COLUMNS_HPP
#define KAON_RUN_RECORDS_BYTE_COLUMNS_HPP

#include <kaon/exchange/count.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace kaon {

/// What files call each number of a ByteCount, in the order of their columns.
struct ByteColumn {
  char const* name;
  std::uint64_t ByteCount::*of;
};
inline constexpr ByteColumn byte_columns[] = {{"bytes_up", &ByteCount::up},
                                              {"bytes_down", &ByteCount::down},
                                              {"bytes_received", &ByteCount::received},
                                              {"wire_up", &ByteCount::wire_up},
                                              {"wire_down", &ByteCount::wire_down},
                                              {"wire_sum", &ByteCount::wire_sum},
                                              {"wire_received", &ByteCount::wire_received}};
inline constexpr std::size_t byte_counts = std::size(byte_columns);

/// Files of versions that did not count what is received: then it was what is sent, by the method and, between steps, by MPI.
inline ByteCount received_as_sent(ByteCount count) {
  count.received = count.up + count.down;
  count.wire_received = count.wire_up + count.wire_down + count.wire_sum;
  return count;
}

}  // namespace kaon

#endif
