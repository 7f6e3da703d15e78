#ifndef KAON_CODEC_PACK_HPP
#define KAON_CODEC_PACK_HPP

#include <kaon/core/error.hpp>
#include <kaon/core/types.hpp>

#include <string>

namespace kaon {

/// Packed codes: code i occupies bits [iB, iB + B) of a stream of little-endian 64-bit words, lowest bit first. Bits after the
/// last code are zero. A word is always written whole by one thread.
constexpr std::uint64_t packed_words(std::uint64_t count, std::uint64_t bits) { return (count * bits + 63) / 64; }
/// Bytes of `count` packed codes, a multiple of 8.
constexpr std::uint64_t packed_bytes(std::uint64_t count, std::uint64_t bits) { return 8 * packed_words(count, bits); }

/// Word w of the stream of codes f(0), f(1), … f(count-1), each below 2^B; 1 ≤ B ≤ 32. A code that straddles two words is asked
/// for twice, so f must be a function of its argument alone.
template <int B, class F>
KOKKOS_INLINE_FUNCTION std::uint64_t packed_word(std::uint64_t w, std::uint64_t count, F const& f) {
  static_assert(B >= 1 && B <= 32);
  std::uint64_t word = 0;
  if constexpr (64 % B == 0) {
    constexpr int per_word = 64 / B;
    std::uint64_t const first = w * per_word;
    int const here = static_cast<int>(count - first < per_word ? count - first : per_word);
    for (int j = 0; j < here; ++j) word |= static_cast<std::uint64_t>(f(first + static_cast<std::uint64_t>(j))) << (j * B);
  } else {
    for (std::uint64_t i = 64 * w / B; i < count && i * B < 64 * (w + 1); ++i) {
      std::uint64_t const code = f(i);
      word |= i * B >= 64 * w ? code << (i * B - 64 * w) : code >> (64 * w - i * B);
    }
  }
  return word;
}

/// Code i of a packed stream.
template <int B>
KOKKOS_INLINE_FUNCTION std::uint32_t packed_code(std::uint64_t const* words, std::uint64_t i) {
  std::uint64_t const bit = i * B;
  std::uint64_t const w = bit >> 6;
  int const shift = static_cast<int>(bit & 63);
  std::uint64_t code = words[w] >> shift;
  if constexpr (64 % B != 0) {
    if (shift + B > 64) code |= words[w + 1] << (64 - shift);
  }
  return static_cast<std::uint32_t>(code & ((std::uint64_t{1} << B) - 1));
}

/// The words of a byte buffer. Throws std::invalid_argument unless it is 8-byte aligned and holds `bytes`.
template <class Exec>
std::uint64_t* as_words(Bytes<Exec> const& buffer, std::uint64_t bytes) {
  require(buffer.extent(0) >= bytes, "byte buffer too small");
  require(reinterpret_cast<std::uintptr_t>(buffer.data()) % 8 == 0, "byte buffer not 8-byte aligned");
  return reinterpret_cast<std::uint64_t*>(buffer.data());
}
template <class Exec>
std::uint64_t const* as_words(ConstBytes<Exec> const& buffer, std::uint64_t bytes) {
  require(buffer.extent(0) >= bytes, "byte buffer too small");
  require(reinterpret_cast<std::uintptr_t>(buffer.data()) % 8 == 0, "byte buffer not 8-byte aligned");
  return reinterpret_cast<std::uint64_t const*>(buffer.data());
}

namespace detail {
template <int B, class F>
struct PackCodes {
  std::uint64_t* words;
  std::uint64_t count;
  F f;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const { words[w] = packed_word<B>(static_cast<std::uint64_t>(w), count, f); }
};
}  // namespace detail

/// out[0 … packed_bytes(count, B)) ← the codes f(i), i < count (f: std::uint64_t → std::uint32_t below 2^B, pure). Asynchronous.
template <int B, class Exec, class F>
void pack_codes(Exec const& exec, std::string const& label, Out<Bytes<Exec>> const& out, std::uint64_t count, F const& f) {
  auto* const words = as_words<Exec>(out, packed_bytes(count, B));
  Kokkos::parallel_for(label, Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(packed_words(count, B))),
                       detail::PackCodes<B, F>{words, count, f});
}

}  // namespace kaon

#endif
