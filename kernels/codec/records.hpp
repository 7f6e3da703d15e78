#ifndef KAON_CODEC_RECORDS_HPP
#define KAON_CODEC_RECORDS_HPP

#include <kaon/codec/checksum.hpp>
#include <kaon/core/types.hpp>

#include <array>
#include <cstdint>

namespace kaon {

// Records: a header of 48 bytes, then a payload; one record behind the other, at any offset. Byte 24 of a header holds the
// payload's length, byte 40 its checksum, both 64-bit little-endian.
inline constexpr std::uint64_t record_header_bytes = 48;
inline constexpr std::uint64_t record_length_at = 24;
inline constexpr std::uint64_t record_checksum_at = 40;
using RecordHeader = std::array<unsigned char, record_header_bytes>;

/// A record's checksum: of its payload, and of its header, for which `seed` stands.
KOKKOS_INLINE_FUNCTION std::uint64_t record_checksum(std::uint64_t payload_sum, std::uint64_t seed) {
  return mix_word(payload_sum + mix_word(seed));
}

/// bytes[offset, offset + 48) ← `header`, with record_checksum(payload_sum(), seed) in its place. Asynchronous.
template <class Exec>
void write_record_header(Exec const& exec, Out<Bytes<Exec>> const& bytes, std::uint64_t offset, RecordHeader const& header,
                         In<ConstScalar<std::uint64_t, Exec>> const& payload_sum, std::uint64_t seed);

/// headers[48 p, 48 (p+1)) ← the header of record p, for the first headers.extent(0) / 48 records of bytes[0, size). Ends at a
/// header that is cut short and behind one whose payload would be; what lies beyond is left as it is. Asynchronous.
template <class Exec>
void read_record_headers(Exec const& exec, Out<Bytes<Exec>> const& headers, In<ConstBytes<Exec>> const& bytes,
                         std::uint64_t size);

}  // namespace kaon

#endif
