#ifndef KAON_COMPRESS_PERMUTATION_HPP
#define KAON_COMPRESS_PERMUTATION_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// A bijection of [0, n) drawn by a 64-bit seed, any position of it in O(1): four Feistel rounds that add modulo a and b on
/// pairs (l, r), l < a, r < b, ab ≥ n (Black and Rogaway, CT-RSA 2002), walked on while the result is ≥ n, then a cyclic shift.
/// The shift is uniform, so for each i every position is equally likely (to 2⁻³²), exactly and whatever the rounds do; joint
/// distributions are those of a good pseudo-random permutation. Integers only: the same on every back end.
struct Permutation {
  std::uint32_t n = 1, a = 32, b = 32, shift = 0;
  std::uint32_t first[4] = {0, 0, 0, 0}, second[4] = {0, 0, 0, 0};

  /// a and b for n < 2³¹; no set is smaller than 1024, where too few pairs would make the rounds alike.
  static Permutation of_size(std::int64_t n) {
    Permutation p;
    p.n = static_cast<std::uint32_t>(n);
    std::int64_t const size = n < 1024 ? 1024 : n;
    std::int64_t a = 32;
    while (a * a < size) ++a;
    p.a = static_cast<std::uint32_t>(a);
    p.b = static_cast<std::uint32_t>((size + a - 1) / a);
    return p;
  }
  KOKKOS_INLINE_FUNCTION static std::uint64_t mix(std::uint64_t z) {  // SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  KOKKOS_INLINE_FUNCTION void seed(std::uint64_t s) {
    for (int r = 0; r < 4; ++r) {
      std::uint64_t const z = mix(s += 0x9e3779b97f4a7c15ULL);
      first[r] = static_cast<std::uint32_t>(z);
      second[r] = static_cast<std::uint32_t>(z >> 32);
    }
    shift = static_cast<std::uint32_t>(mix(s + 0x9e3779b97f4a7c15ULL) % n);
  }
  KOKKOS_INLINE_FUNCTION std::uint32_t round(std::uint32_t v, int r, std::uint32_t modulus) const {
    std::uint32_t h = (v + first[r]) * 0x9e3779b1U;
    h = ((h ^ (h >> 15)) ^ second[r]) * 0x85ebca77U;
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(h ^ (h >> 13)) * modulus) >> 32);
  }
  /// The bijection of [0, ab) below the walk.
  KOKKOS_INLINE_FUNCTION std::uint32_t rounds(std::uint32_t x) const {
    std::uint32_t l = x / b, q = x - l * b;
    for (int r = 0; r < 4; r += 2) {
      l += round(q, r, a);
      l -= l >= a ? a : 0;
      q += round(l, r + 1, b);
      q -= q >= b ? b : 0;
    }
    return l * b + q;
  }
  /// What becomes of rounds(i).
  KOKKOS_INLINE_FUNCTION std::uint32_t finish(std::uint32_t x) const {
    while (x >= n) x = rounds(x);
    x += shift;
    return x >= n ? x - n : x;
  }
  KOKKOS_INLINE_FUNCTION std::uint32_t operator()(std::uint32_t i) const { return finish(rounds(i)); }
};

}  // namespace kaon

#endif
