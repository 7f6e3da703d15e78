#ifndef KAON_CODEC_INDEX_CODE_HPP
#define KAON_CODEC_INDEX_CODE_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Indices that one thread codes; part of the format.
inline constexpr std::uint64_t index_block = 1024;
/// What a decoder puts where corrupt bytes left no valid index.
inline constexpr std::uint32_t no_index = 0xffffffffU;

/// Golomb code of the gaps between k increasing indices in [0, n). With p = k/n the gap-less-one g is geometric for random
/// indices; m ≈ ln 2 · (1/p − 1/2) is the optimal divisor (Golomb 1966; Gallager and Van Voorhis, IEEE Trans. IT 21, 1975). A
/// Rice code is the case that m is a power of two. Sender and receiver derive m from (n, k): it is not sent.
struct IndexCode {
  std::uint64_t n = 0, k = 0;
  std::uint32_t m = 1;     ///< divisor
  std::uint32_t bits = 0;  ///< ⌈log₂ m⌉
  std::uint32_t cut = 0;   ///< remainders below it take bits − 1 bits, the others `bits`
  std::uint64_t blocks() const { return (k + index_block - 1) / index_block; }
  std::uint64_t directory_bytes() const { return 8 * blocks(); }
};

/// Throws std::invalid_argument unless 1 ≤ k ≤ n < 2³¹.
IndexCode index_code(std::uint64_t n, std::uint64_t k);

/// Largest number of bytes that any k increasing indices in [0, n) take; a multiple of 8:
/// 8⌈k/1024⌉ + 4⌊((k − b)(1 + ⌈log₂ m⌉) + ⌊(n − k)/m⌋ + 31b)/32⌋ rounded up, b = ⌈k/1024⌉.
std::uint64_t index_bytes_bound(std::uint64_t n, std::uint64_t k);

/// Codes sorted sets of exactly k indices in [0, n), near their entropy log₂ C(n, k). Bytes, little-endian:
///
///     directory   ⌈k/1024⌉ × { u32 first index of the block; u32 offset of its code, in 32-bit words from the directory's end }
///     codes       per block, starting at a word: 1023 gaps (fewer in the last), each q ones, a zero, the remainder r with
///                 g = index − previous − 1 = q m + r in truncated binary; lowest bit first; the last word zero-filled
///     padding     zero bytes up to a multiple of 8
///
/// Blocks are coded and decoded in parallel. Owns its workspace: one call at a time.
template <class Exec>
class IndexCodec {
 public:
  IndexCodec(std::uint64_t n, std::uint64_t k);

  std::uint64_t bytes_bound() const { return index_bytes_bound(code_.n, code_.k); }
  std::uint64_t bytes_least() const { return code_.directory_bytes(); }

  /// out ← code of `indices` (k, strictly increasing, below n); length() ← base + the number of bytes written. `out` is 8-byte
  /// aligned and holds bytes_bound(). Asynchronous; no allocation.
  void encode(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length, std::uint64_t base,
              In<ConstVector<std::uint32_t, Exec>> const& indices) const;

  /// indices (k) ← decoded `bytes`, of which `length` count. Any bytes are safe: what is no index below n becomes no_index.
  /// Throws std::invalid_argument if length < bytes_least() or bytes holds less than length.
  void decode(Exec const& exec, Out<Vector<std::uint32_t, Exec>> const& indices, In<ConstBytes<Exec>> const& bytes,
              std::uint64_t length) const;

 private:
  IndexCode code_;
  Vector<std::uint32_t, Exec> words_;  // words that each block's code takes
};

}  // namespace kaon

#endif
