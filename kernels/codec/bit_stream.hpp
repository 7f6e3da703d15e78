#ifndef KAON_CODEC_BIT_STREAM_HPP
#define KAON_CODEC_BIT_STREAM_HPP

#include <kaon/codec/bits.hpp>

namespace kaon {

/// Appends bits, lowest first, to 32-bit words that one thread owns. The word being filled is stored at every call, without a
/// branch; none behind it is touched.
struct BitWriter {
  std::uint32_t* out = nullptr;
  std::uint64_t buffer = 0;
  int fill = 0;  // below 32 between calls
  /// The lower `bits` ≤ 32 bits of value, whose others are zero. At least one bit must come in the first call.
  KOKKOS_INLINE_FUNCTION void put(std::uint32_t value, int bits) {
    buffer |= static_cast<std::uint64_t>(value) << fill;
    *out = static_cast<std::uint32_t>(buffer);
    fill += bits;
    int const full = fill >> 5;
    out += full;
    buffer >>= 32 * full;
    fill &= 31;
  }
  /// Stores the last word, if it holds anything.
  KOKKOS_INLINE_FUNCTION void finish() {
    if (fill > 0) *out = static_cast<std::uint32_t>(buffer);
  }
};

/// Reads bits, lowest first, from `count` 32-bit words; beyond them there are zeros.
struct BitReader {
  std::uint32_t const* words = nullptr;
  std::uint64_t count = 0, position = 0;
  KOKKOS_DEFAULTED_FUNCTION BitReader() = default;
  KOKKOS_INLINE_FUNCTION BitReader(std::uint32_t const* w, std::uint64_t n, std::uint64_t first_word)
      : words(w), count(n), position(32 * first_word) {}
  /// The next 33 bits or more, upwards from bit 0.
  KOKKOS_INLINE_FUNCTION std::uint64_t peek() const {
    std::uint64_t const w = position >> 5;
    std::uint64_t pair = 0;
    if (w + 1 < count)
      pair = words[w] | static_cast<std::uint64_t>(words[w + 1]) << 32;
    else if (w < count)
      pair = words[w];
    return pair >> (position & 31);
  }
  KOKKOS_INLINE_FUNCTION void skip(int bits) { position += static_cast<std::uint64_t>(bits); }
};

}  // namespace kaon

#endif
