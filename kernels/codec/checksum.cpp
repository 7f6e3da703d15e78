#include <kaon/codec/checksum.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {

namespace {

struct WordSum {
  unsigned char const* bytes;  // of the word at place 0
  std::uint64_t length;

  KOKKOS_FUNCTION std::uint64_t word(std::uint64_t w) const {
    auto const* const at = bytes + 8 * w;
    // Aligned reads, two where a word straddles them; byte by byte at the end, where nothing may be read beyond.
    if (8 * w + 16 <= length) {
      auto const odd = reinterpret_cast<std::uintptr_t>(at) % 8;
      auto const* const aligned = reinterpret_cast<std::uint64_t const*>(at - odd);
      return odd == 0 ? aligned[0] : (aligned[0] >> (8 * odd)) | (aligned[1] << (64 - 8 * odd));
    }
    std::uint64_t value = 0;
    for (std::uint64_t b = 0; b < 8 && 8 * w + b < length; ++b) value |= static_cast<std::uint64_t>(at[b]) << (8 * b);
    return value;
  }
  KOKKOS_FUNCTION void operator()(std::int64_t w, std::uint64_t& sum) const {
    auto const index = static_cast<std::uint64_t>(w);
    sum += checksum_term(word(index), index);
  }
};

}  // namespace

template <class Exec>
void checksum(Exec const& exec, Out<Scalar<std::uint64_t, Exec>> const& out, In<ConstBytes<Exec>> const& bytes,
              std::uint64_t offset, std::uint64_t length) {
  require(offset <= bytes.extent(0) && length <= bytes.extent(0) - offset, "checksum: beyond the end of the buffer");
  require(reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0, "checksum: the buffer is not 8-byte aligned");
  Kokkos::parallel_reduce("kaon::codec::checksum",
                          Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>((length + 7) / 8)),
                          WordSum{bytes.data() + offset, length}, out);
}

#define KAON_CHECKSUM(Exec)                                                                                                      \
  template void checksum<Exec>(Exec const&, Out<Scalar<std::uint64_t, Exec>> const&, In<ConstBytes<Exec>> const&, std::uint64_t, \
                               std::uint64_t);
KAON_FOR_EACH_SPACE(KAON_CHECKSUM)

}  // namespace kaon
