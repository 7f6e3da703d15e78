#ifndef KAON_CODEC_CHECKSUM_HPP
#define KAON_CODEC_CHECKSUM_HPP

#include <kaon/core/types.hpp>

#include <cstdint>

namespace kaon {

/// A bijection of 64-bit words that spreads every bit over all of them: the finalizer of MurmurHash3 (A. Appleby).
KOKKOS_INLINE_FUNCTION std::uint64_t mix_word(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

/// What the word at `index` adds to a checksum: another bijection of the word for every place.
KOKKOS_INLINE_FUNCTION std::uint64_t checksum_term(std::uint64_t word, std::uint64_t index) {
  return mix_word(word ^ mix_word((index + 1) * 0x9e3779b97f4a7c15ULL));
}

/// out() = Σ_w checksum_term(w-th 64-bit little-endian word, w) mod 2^64 of bytes [offset, offset + length), the last word filled
/// up with zeros. Integers add up the same in any order. A change within one word always changes the sum; other changes pass
/// unseen with a chance of about 2^-64. Not a cryptographic hash. Any offset; asynchronous.
template <class Exec>
void checksum(Exec const& exec, Out<Scalar<std::uint64_t, Exec>> const& out, In<ConstBytes<Exec>> const& bytes,
              std::uint64_t offset, std::uint64_t length);

}  // namespace kaon

#endif
