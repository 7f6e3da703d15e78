#ifndef KAON_NN_EXPONENTIAL_HPP
#define KAON_NN_EXPONENTIAL_HPP

#include <kaon/core/types.hpp>

#include <cstring>

namespace kaon {

/// e^x for x ≤ 88; below −87 it returns e^−87 ≈ 1.6e-38. Relative error below 2e-7. NaN stays NaN. Straight-line code, so that a
/// loop over it vectorizes where a library call would not: x = n·ln 2 + r with the 5th-degree polynomial of Cephes' expf in r.
KOKKOS_INLINE_FUNCTION float exponential(float x) {
  constexpr float shift = 12582912.0f;  // 1.5·2^23: adding it rounds to an integer that stands in the low bits
  x = x < -87.0f ? -87.0f : x;
  float const shifted = x * 1.44269504f + shift;
  float const n = shifted - shift;
  float const r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  std::uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127u) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

KOKKOS_INLINE_FUNCTION double exponential(double x) { return math::exp(x); }

}  // namespace kaon

#endif
