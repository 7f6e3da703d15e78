#ifndef KAON_CODEC_BITS_HPP
#define KAON_CODEC_BITS_HPP

#include <kaon/core/number_bits.hpp>

namespace kaon {

/// The nearest bfloat16 (8 exponent bits, 7 fraction bits; ties to even) as 16 bits. Relative error ≤ 2⁻⁸ for normal numbers, at
/// most 1 for denormal ones; a finite number never becomes infinite; NaN stays NaN.
KOKKOS_INLINE_FUNCTION std::uint16_t to_bf16(float v) {
  std::uint32_t const u = to_bits(v);
  std::uint32_t const magnitude = u & 0x7fffffffU;
  std::uint32_t const sign = (u >> 16) & 0x8000U;
  if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7fc0U);
  std::uint32_t rounded = (magnitude + 0x7fffU + ((magnitude >> 16) & 1U)) >> 16;
  if (magnitude < 0x7f800000U && rounded >= 0x7f80U) rounded = 0x7f7fU;
  return static_cast<std::uint16_t>(sign | rounded);
}
KOKKOS_INLINE_FUNCTION float from_bf16(std::uint16_t h) { return from_bits(static_cast<std::uint32_t>(h) << 16); }

/// Number of zeros below the lowest one (undefined for 0).
KOKKOS_INLINE_FUNCTION int trailing_zeros(std::uint64_t v) {
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
  return __ffsll(static_cast<long long>(v)) - 1;
#else
  return __builtin_ctzll(v);
#endif
}

/// Length of the run of ones that starts at the lowest bit (64 for all ones).
KOKKOS_INLINE_FUNCTION int trailing_ones(std::uint64_t v) { return ~v == 0 ? 64 : trailing_zeros(~v); }

/// Number of ones.
KOKKOS_INLINE_FUNCTION int count_ones(std::uint64_t v) {
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
  return __popcll(v);
#else
  return __builtin_popcountll(v);
#endif
}

/// Bits that v needs: 0 for 0, else ⌊log₂ v⌋ + 1.
KOKKOS_INLINE_FUNCTION int bit_length(std::uint64_t v) {
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
  return 64 - __clzll(static_cast<long long>(v));
#else
  return v == 0 ? 0 : 64 - __builtin_clzll(v);
#endif
}

}  // namespace kaon

#endif
