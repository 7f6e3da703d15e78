#ifndef KAON_CODEC_EXPONENT_CODE_HPP
#define KAON_CODEC_EXPONENT_CODE_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Values that one thread codes; part of the format.
inline constexpr std::uint64_t exponent_block = 1024;

/// Codes n bytes (exponents) and n sign bits, laid out as in compress/natural.hpp ("plain": 8⌈n/8⌉ + 8⌈n/64⌉ bytes), near the
/// entropy of the bytes, by a canonical Huffman code of at most 12 bits made for each message; a sign costs one bit, the sign of
/// the byte 0 none (it comes back as 0). Where that would not be shorter the message is plain. Bytes, little-endian, b =
/// ⌈n/1024⌉:
///
///     kind        u8: 0 plain, 1 coded; u8 lowest symbol s, u8 highest symbol t (coded); zeros up to 8 bytes
///   plain:
///     the plain bytes
///   coded:
///     lengths     4 bits for each symbol s … t, lower half first; 0 means that the symbol does not occur, or is the only one;
///                 zero bits up to a multiple of 8 bytes
///     words       b × u16: 32-bit words of each block's code; two zero bytes if b is odd
///     codes       per block of 1024 values, starting at a word: for each its code, first bit first, then its sign unless the
///                 symbol is 0; lowest bit first; last word zero-filled
///     padding     zero bytes up to a multiple of 8
///
/// The histogram, the code and the choice are made on the device. Owns its workspace: one call at a time.
template <class Exec>
class ExponentCodec {
 public:
  /// Throws std::invalid_argument unless 1 ≤ n < 2³¹.
  explicit ExponentCodec(std::uint64_t n);

  std::uint64_t plain_bytes() const { return 8 * ((n_ + 7) / 8 + (n_ + 63) / 64); }
  std::uint64_t bytes_bound() const { return 8 + plain_bytes(); }
  std::uint64_t bytes_least() const;

  /// out ← code of `plain` (plain_bytes(), 8-byte aligned); length() ← bytes written. `out` is 8-byte aligned and holds
  /// bytes_bound(). Asynchronous; no allocation.
  void encode(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length,
              In<ConstBytes<Exec>> const& plain) const;
  /// plain ← decoded `bytes`, of which at most `length` are read; bytes behind the code do no harm. Any bytes are safe: what
  /// makes no sense decodes as zeros. Throws std::invalid_argument if length < bytes_least() or bytes holds less than length.
  void decode(Exec const& exec, Out<Bytes<Exec>> const& plain, In<ConstBytes<Exec>> const& bytes, std::uint64_t length) const;

 private:
  std::uint64_t n_, blocks_;
  Vector<std::uint32_t, Exec> counts_;  // of each symbol; zero between calls
  Vector<std::uint32_t, Exec> codes_;   // of each symbol: code, length << 16
  Vector<unsigned char, Exec> header_;  // kind, lowest, highest symbol; then the lengths
  Vector<std::uint32_t, Exec> words_;   // each block's words, then where it begins
  Vector<std::uint16_t, Exec> decode_;  // symbol, length << 8 for every 12 bits
};

}  // namespace kaon

#endif
