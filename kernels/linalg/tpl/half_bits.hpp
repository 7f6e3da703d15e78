// Conversions between float and the bit patterns of 16-bit formats, in integers alone: the same bits on every back end.
#ifndef KAON_LINALG_TPL_HALF_BITS_HPP
#define KAON_LINALG_TPL_HALF_BITS_HPP

#include <kaon/core/number_bits.hpp>

namespace kaon::tpl {

/// The upper 16 bits of a float, rounded to nearest, ties to even; as IEEE 754 has it, too large becomes infinity (codec's
/// to_bf16 stays finite, since a payload's scale may not turn a block into infinities).
struct Bf16 {
  KOKKOS_INLINE_FUNCTION float operator()(std::uint16_t h) const { return from_bits(static_cast<std::uint32_t>(h) << 16); }
  KOKKOS_INLINE_FUNCTION static std::uint16_t from(float x) {
    std::uint32_t const u = to_bits(x);
    if ((u & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((u >> 16) | 0x40u);
    return static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
};

/// IEEE 754 binary16: 1 + 5 + 10 bits.
struct Fp16 {
  KOKKOS_INLINE_FUNCTION float operator()(std::uint16_t h) const {
    std::uint32_t const sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
    std::uint32_t const exponent = (h >> 10) & 31u;
    std::uint32_t const fraction = h & 1023u;
    if (exponent == 31u) return from_bits(sign | 0x7f800000u | (fraction << 13));
    if (exponent != 0u) return from_bits(sign | ((exponent + 112u) << 23) | (fraction << 13));
    float const small = static_cast<float>(fraction) * 5.9604644775390625e-8f;  // 2⁻²⁴
    return sign ? -small : small;
  }
  KOKKOS_INLINE_FUNCTION static std::uint16_t from(float x) {
    std::uint32_t const u = to_bits(x);
    std::uint32_t const sign = (u >> 16) & 0x8000u;
    std::uint32_t const size = u & 0x7fffffffu;
    if (size > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (size >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // from 65520 on: infinity
    std::uint32_t const exponent = size >> 23;
    if (exponent >= 113u) {
      std::uint32_t const v = size - (112u << 23);
      return static_cast<std::uint16_t>(sign | ((v + 0xfffu + ((v >> 13) & 1u)) >> 13));
    }
    if (exponent < 102u) return static_cast<std::uint16_t>(sign);  // below half of the smallest subnormal
    std::uint32_t const fraction = (size & 0x7fffffu) | 0x800000u;
    std::uint32_t const shift = 126u - exponent;
    std::uint32_t const kept = fraction >> shift;
    std::uint32_t const rest = fraction & ((1u << shift) - 1u);
    std::uint32_t const half = 1u << (shift - 1u);
    return static_cast<std::uint16_t>(sign | (kept + ((rest > half || (rest == half && (kept & 1u))) ? 1u : 0u)));
  }
};

}  // namespace kaon::tpl

#endif
