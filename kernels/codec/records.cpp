#include <kaon/codec/records.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {

namespace {

struct RawHeader {  // std::array's members are not for devices
  unsigned char byte[record_header_bytes];
};

}  // namespace

template <class Exec>
void write_record_header(Exec const& exec, Out<Bytes<Exec>> const& bytes, std::uint64_t offset, RecordHeader const& header,
                         In<ConstScalar<std::uint64_t, Exec>> const& payload_sum, std::uint64_t seed) {
  require(offset <= bytes.extent(0) && record_header_bytes <= bytes.extent(0) - offset,
          "write_record_header: beyond the end of the buffer");
  RawHeader raw{};
  for (std::size_t b = 0; b < record_header_bytes; ++b) raw.byte[b] = header[b];
  unsigned char* const out = bytes.data() + offset;
  Kokkos::parallel_for(
      "kaon::codec::write_record_header", Kokkos::RangePolicy<Exec>(exec, 0, 1), KOKKOS_LAMBDA(std::int64_t) {
        std::uint64_t const sum = record_checksum(payload_sum(), seed);
        for (std::uint64_t b = 0; b < record_header_bytes; ++b)
          out[b] = b < record_checksum_at || b >= record_checksum_at + 8
                       ? raw.byte[b]
                       : static_cast<unsigned char>(sum >> (8 * (b - record_checksum_at)));
      });
}

template <class Exec>
void read_record_headers(Exec const& exec, Out<Bytes<Exec>> const& headers, In<ConstBytes<Exec>> const& bytes,
                         std::uint64_t size) {
  require(size <= bytes.extent(0), "read_record_headers: beyond the end of the buffer");
  std::uint64_t const records = headers.extent(0) / record_header_bytes;
  unsigned char const* const in = bytes.data();
  unsigned char* const out = headers.data();
  Kokkos::parallel_for(
      "kaon::codec::read_record_headers", Kokkos::RangePolicy<Exec>(exec, 0, 1), KOKKOS_LAMBDA(std::int64_t) {
        std::uint64_t at = 0;
        for (std::uint64_t p = 0; p < records && size - at >= record_header_bytes; ++p) {
          std::uint64_t length = 0;
          for (std::uint64_t b = 0; b < record_header_bytes; ++b) out[record_header_bytes * p + b] = in[at + b];
          for (std::uint64_t b = 0; b < 8; ++b) length |= static_cast<std::uint64_t>(in[at + record_length_at + b]) << (8 * b);
          at += record_header_bytes;
          if (length > size - at) break;
          at += length;
        }
      });
}

#define KAON_RECORDS(Exec)                                                                                          \
  template void write_record_header<Exec>(Exec const&, Out<Bytes<Exec>> const&, std::uint64_t, RecordHeader const&, \
                                          In<ConstScalar<std::uint64_t, Exec>> const&, std::uint64_t);              \
  template void read_record_headers<Exec>(Exec const&, Out<Bytes<Exec>> const&, In<ConstBytes<Exec>> const&, std::uint64_t);
KAON_FOR_EACH_SPACE(KAON_RECORDS)

}  // namespace kaon
