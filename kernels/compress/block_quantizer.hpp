// The arithmetic of block_bits: one block, one value, a strip of 64 values. Not part of the public interface.
#ifndef KAON_COMPRESS_BLOCK_QUANTIZER_HPP
#define KAON_COMPRESS_BLOCK_QUANTIZER_HPP

#include <kaon/codec/bits.hpp>
#include <kaon/core/types.hpp>

namespace kaon::block_bits {

inline constexpr float lloyd_low = 0.4528F, lloyd_high = 1.510F, lloyd_threshold = 0.9816F;
inline constexpr std::uint32_t not_finite = 0x7f800000U;

/// v as a float: beyond its range clamped to it; what is not finite stays so.
KOKKOS_INLINE_FUNCTION float block_value(float v) { return v; }
KOKKOS_INLINE_FUNCTION float block_value(double v) {
  if (magnitude_bits(v) >= 0x7ff0000000000000U) return from_bits(0x7fc00000U);
  double const top = static_cast<double>(float_max);
  return static_cast<float>(v > top ? top : v < -top ? -top : v);
}

/// Codes of a block whose largest magnitude has the bits `top`, 0 < top < not_finite, in float. Values are measured in units that
/// make the largest one 1 … 2 (1, 2 bits) or a little less than H = 2^(B−1) (4, 8 bits), so nothing overflows.
template <int B>
struct Quantizer {
  static constexpr int half = 1 << (B - 1);
  float per_unit;       ///< units for each 1; at most 2¹²⁶
  float threshold = 0;  ///< 2 bits: where the high level begins

  KOKKOS_INLINE_FUNCTION explicit Quantizer(std::uint32_t top) {
    constexpr float most = 8.50705917302346158658436518579e37F;  // 2¹²⁶
    if constexpr (B > 2) {
      float const largest = from_bits(top);
      per_unit =
          largest > 3.00926553810505858576e-36F /* 256 / most */ ? static_cast<float>(half) * (1 - 2.3841857910e-7F) / largest
                                                                 : most;
    } else {
      std::uint32_t const biased = top >> 23;
      per_unit = from_bits((254 - (biased < 1 ? 1 : biased > 253 ? 253 : biased)) << 23);
    }
  }
  KOKKOS_INLINE_FUNCTION void set_mean_square(double in_units) {
    threshold = static_cast<float>(static_cast<double>(lloyd_threshold) * math::sqrt(in_units));
  }
  KOKKOS_INLINE_FUNCTION float in_units(float v) const { return from_bits(magnitude_bits(v)) * per_unit; }
  /// |code| of a value in units; below H.
  KOKKOS_INLINE_FUNCTION int magnitude(float t) const {
    if constexpr (B == 1) return 0;
    if constexpr (B == 2) return t > threshold ? 1 : 0;
    return static_cast<int>(t);
  }
  KOKKOS_INLINE_FUNCTION static float level(int magnitude) {
    if constexpr (B == 1) return 1;
    if constexpr (B == 2) return magnitude == 1 ? lloyd_high : lloyd_low;
    return static_cast<float>(magnitude) + 0.5F;
  }
  KOKKOS_INLINE_FUNCTION std::uint32_t code(float v) const {
    return static_cast<std::uint32_t>(magnitude(in_units(v))) | (v < 0 ? 1U << (B - 1) : 0U);
  }
};

/// What a block's codes decode to. A product with the scale is clamped to ±FLT_MAX without passing through infinity.
template <int B>
struct Dequantizer {
  float scale, bound, up;
  std::uint32_t sign;
  bool finite;
  KOKKOS_INLINE_FUNCTION explicit Dequantizer(std::uint16_t bf16) {
    std::uint32_t const bits = static_cast<std::uint32_t>(bf16) << 16, size = bits & 0x7fffffffU;
    finite = size <= not_finite;
    sign = bits & 0x80000000U;
    bool const large = size >= 0x3f800000U;
    float const down = large ? 1.0F / 256 : 1.0F;
    up = large ? 256.0F : 1.0F;
    bound = float_max * down;
    scale = size < not_finite ? from_bits(size) * down : bound;
  }
  KOKKOS_INLINE_FUNCTION float value(std::uint32_t code) const {
    float const q = scale * Quantizer<B>::level(static_cast<int>(code & ((1U << (B - 1)) - 1)));
    std::uint32_t const bits = to_bits((q < bound ? q : bound) * up);
    return from_bits(bits ^ sign ^ code >> (B - 1) << 31);
  }
};

/// Values that a host handles together, in loops that vectorise: whole words of codes, B of them.
inline constexpr int strip = 64;

/// An integer as wide as the codes that share a byte.
template <int B>
using Group = std::conditional_t<B == 4, std::uint16_t, std::conditional_t<B == 2, std::uint32_t, unsigned char>>;

/// Bytes 0 … count of a packed stream ← 8/B codes below 2^B each, one a byte (little-endian hosts).
template <int B>
KOKKOS_INLINE_FUNCTION void pack_bytes(unsigned char* packed, unsigned char const* codes, int count) {
  for (int k = 0; k < count; ++k) {
    Group<B> group;
    memcpy(&group, codes + k * static_cast<int>(sizeof group), sizeof group);
    std::uint32_t const g = group;
    packed[k] = static_cast<unsigned char>(B == 4 ? g | g >> 4 : B == 2 ? g | g >> 6 | g >> 12 | g >> 18 : g);
  }
}
template <int B>
KOKKOS_INLINE_FUNCTION void unpack_bytes(unsigned char* codes, unsigned char const* packed, int count) {
  for (int k = 0; k < count; ++k) {
    std::uint32_t const b = packed[k];
    auto const group = static_cast<Group<B>>(B == 4   ? (b | b << 4) & 0x0f0fU
                                             : B == 2 ? (b | b << 6 | b << 12 | b << 18) & 0x03030303U
                                                      : b);
    memcpy(codes + k * static_cast<int>(sizeof group), &group, sizeof group);
  }
}

}  // namespace kaon::block_bits

#endif
