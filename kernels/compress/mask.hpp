// Finding and packing few entries among many, a word of flags at a time. Not part of the public interface.
#ifndef KAON_COMPRESS_MASK_HPP
#define KAON_COMPRESS_MASK_HPP

#include <kaon/codec/bits.hpp>

namespace kaon::detail {

template <class T>
using KeyOf = decltype(magnitude_bits(T()));

/// Entries that one thread flags in one word: a host core fills a vector register, a device's thread few.
template <class Exec>
inline constexpr int flag_width = runs_on_host<Exec> ? 64 : 16;

/// Bit j of the word: lo ≤ magnitude_bits(v[j]) ≤ lo + span, for j < count ≤ W.
template <int W, class T>
KOKKOS_INLINE_FUNCTION std::uint64_t flag_within(T const* v, int count, KeyOf<T> lo, KeyOf<T> span) {
  constexpr int part = W < 32 ? W : 32;  // 32-bit sums: the host's compiler turns this form into vector compares
  std::uint64_t flags = 0;
  if (count == W) {
    for (int first = 0; first < W; first += part) {
      std::uint32_t sum = 0;
      for (int j = 0; j < part; ++j) sum += magnitude_bits(v[first + j]) - lo <= span ? std::uint32_t{1} << j : 0U;
      flags |= static_cast<std::uint64_t>(sum) << first;
    }
  } else {
    for (int j = 0; j < count; ++j) flags |= static_cast<std::uint64_t>(magnitude_bits(v[j]) - lo <= span ? 1 : 0) << j;
  }
  return flags;
}

/// Positions of the ones of a byte, packed to the front; the rest is zero.
struct Positions {
  std::uint16_t of[256][8];
  constexpr Positions() : of{} {
    for (int byte = 0; byte < 256; ++byte)
      for (int bit = 0, n = 0; bit < 8; ++bit)
        if ((byte >> bit) & 1) of[byte][n++] = static_cast<std::uint16_t>(bit);
  }
};

/// Slots behind the last position that write_positions may overwrite.
inline constexpr int position_slack = 8;

/// out[0 … count_ones(flags)) ← base + the positions of the ones, increasing. A host does eight at once, without a branch, and
/// overwrites up to position_slack slots more.
template <class Exec>
KOKKOS_INLINE_FUNCTION void write_positions(std::uint16_t* out, std::uint64_t flags, int base) {
  if constexpr (runs_on_host<Exec>) {
    static constexpr Positions positions{};
    if (flags == 0) return;
    for (int first = 0; first < flag_width<Exec>; first += 8) {
      auto const byte = (flags >> first) & 255U;
      for (int j = 0; j < 8; ++j) out[j] = static_cast<std::uint16_t>(positions.of[byte][j] + (base + first));
      out += count_ones(byte);
    }
  } else {
    for (; flags != 0; flags &= flags - 1) *out++ = static_cast<std::uint16_t>(base + trailing_zeros(flags));
  }
}

}  // namespace kaon::detail

#endif
