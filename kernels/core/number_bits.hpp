#ifndef KAON_CORE_NUMBER_BITS_HPP
#define KAON_CORE_NUMBER_BITS_HPP

#include <kaon/core/types.hpp>

#include <cstring>

namespace kaon {

/// The largest finite float.
inline constexpr float float_max = 3.40282346638528859811704183485e38F;

/// The IEEE 754 bits of a number and back.
KOKKOS_INLINE_FUNCTION std::uint32_t to_bits(float v) {
  std::uint32_t u;
  memcpy(&u, &v, sizeof u);
  return u;
}
KOKKOS_INLINE_FUNCTION std::uint64_t to_bits(double v) {
  std::uint64_t u;
  memcpy(&u, &v, sizeof u);
  return u;
}
KOKKOS_INLINE_FUNCTION float from_bits(std::uint32_t u) {
  float v;
  memcpy(&v, &u, sizeof v);
  return v;
}

/// Bits of |v|: as integers they are ordered like the magnitudes, with infinity above all numbers and NaN above infinity.
KOKKOS_INLINE_FUNCTION std::uint32_t magnitude_bits(float v) { return to_bits(v) & 0x7fffffffU; }
KOKKOS_INLINE_FUNCTION std::uint64_t magnitude_bits(double v) { return to_bits(v) & 0x7fffffffffffffffU; }

}  // namespace kaon

#endif
