#ifndef KAON_CODEC_INDEX_CODE_HPP
#define KAON_CODEC_INDEX_CODE_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Indices that one thread codes; part of the format.
inline constexpr std::uint64_t index_block = 2048;
/// What a decoder puts where corrupt bytes left no valid index.
inline constexpr std::uint32_t no_index = 0xffffffffU;

/// Golomb code of the gaps between k increasing indices in [0, n). With p = k/n the gap-less-one g is geometric for random
/// indices; m ≈ ln 2 · (1/p − 1/2) is the optimal divisor (Golomb 1966; Gallager and Van Voorhis, IEEE Trans. IT 21, 1975). A
/// Rice code is the case that m is a power of two. Sender and receiver derive m from (n, k): it is not sent.
struct IndexCode {
  std::uint64_t n = 0, k = 0;
  std::uint32_t m = 1;        ///< divisor
  std::uint32_t bits = 0;     ///< ⌈log₂ m⌉
  std::uint32_t cut = 1;      ///< remainders below it take `low` bits, the others low + 1
  std::uint32_t low = 0;      ///< max(bits − 1, 0)
  std::uint32_t escape = 32;  ///< 32 − bits: a quotient that reaches it is not sent, the gap follows in 32 bits instead
  std::uint32_t inverse = 0;  ///< ⌈2^(31 + bits) / m⌉: (g · inverse) >> (31 + bits) is ⌊g/m⌋ for every g < 2³¹
  KOKKOS_FUNCTION std::uint64_t blocks() const { return (k + index_block - 1) / index_block; }
  KOKKOS_FUNCTION std::uint64_t directory_bytes() const { return 4 * ((3 * blocks() + 1) / 2); }
};

/// Throws std::invalid_argument unless 1 ≤ k ≤ n < 2³¹.
IndexCode index_code(std::uint64_t n, std::uint64_t k);

/// Largest number of bytes that any k increasing indices in [0, n) take; a multiple of 8. With b = ⌈k/2048⌉ blocks, Q = ⌊(n −
/// k)/m⌋ and e = min(k − b, ⌊Q/escape⌋) escapes: the directory and ⌊((k − b)(1 + bits) + Q + 31e + 31b)/32⌋ words, rounded up.
std::uint64_t index_bytes_bound(std::uint64_t n, std::uint64_t k);

/// Codes sorted sets of exactly k indices in [0, n), near their entropy log₂ C(n, k). Bytes, little-endian, b = ⌈k/2048⌉:
///
///     firsts      b × u32: first index of each block of 2048
///     words       b × u16: 32-bit words of each block's code; two zero bytes if b is odd
///     codes       per block, starting at a word: 2047 gaps (fewer in the last), each q ones, a zero, the remainder r with
///                 g = index − previous − 1 = q m + r in truncated binary; or `escape` ones and g in 32 bits where q ≥ escape.
///                 No gap takes more than 64 bits, no other than those more than 32. Lowest bit first; last word zero-filled
///     padding     zero bytes up to a multiple of 8
///
/// Blocks are coded and decoded in parallel; a host's thread takes several at a time, interleaved. Owns its workspace: one call
/// at a time.
template <class Exec>
class IndexCodec {
 public:
  IndexCodec(std::uint64_t n, std::uint64_t k);

  std::uint64_t bytes_bound() const { return index_bytes_bound(code_.n, code_.k); }
  std::uint64_t bytes_least() const { return 8 * ((code_.directory_bytes() + 7) / 8); }

  /// out ← code of `indices` (k, strictly increasing, below n); length() ← base + the number of bytes written. `out` is 8-byte
  /// aligned and holds bytes_bound(). Asynchronous; no allocation.
  void encode(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length, std::uint64_t base,
              In<ConstVector<std::uint32_t, Exec>> const& indices) const;

  /// As encode, but behind the first length() bytes of `out` (a multiple of 8 that only the device knows); length() grows.
  void append(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length,
              In<ConstVector<std::uint32_t, Exec>> const& indices) const;

  /// indices (k) ← decoded `bytes`, of which `length` count. Any bytes are safe: what is no index below n becomes no_index.
  /// Throws std::invalid_argument if length < bytes_least() or bytes holds less than length. With `begin` the code starts
  /// begin() bytes behind the start, which may be anything too.
  void decode(Exec const& exec, Out<Vector<std::uint32_t, Exec>> const& indices, In<ConstBytes<Exec>> const& bytes,
              std::uint64_t length, ConstScalar<std::uint64_t, Exec> const& begin = {}) const;

 private:
  void write(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length, bool behind,
             std::uint64_t base, In<ConstVector<std::uint32_t, Exec>> const& indices) const;
  IndexCode code_;
  Vector<std::uint32_t, Exec> words_;  // words that each block's code takes; when decoding, where it begins
  Scalar<std::uint64_t, Exec> start_;  // byte at which the code starts
};

}  // namespace kaon

#endif
