#ifndef KAON_COMPRESS_NATURAL_HPP
#define KAON_COMPRESS_NATURAL_HPP

#include <kaon/compress/compressor.hpp>

namespace kaon {

/// Natural compression (Horváth et al., arXiv 1905.10988): every value becomes a power of two, 9 bits each.
///
/// Nearest: 2^e or 2^(e+1), whichever is nearer (ties away from zero), α = 8/9, attained at 1.5·2^e. Stochastic: unbiased,
/// rounded up with probability (|x| − 2^e)/2^e, E‖C(x) − x‖² ≤ ‖x‖²/8, α = 7/8; word i of the stream belongs to entry i. Zero is
/// exact. The exponents are those of float, −126 … 127: between 0 and 2⁻¹²⁶ values round to one of these ends by the same rules
/// (nearest loses its α there); 1.5·2¹²⁷ and above become 2¹²⁷. Infinities and NaN become infinities.
///
/// Payload of N = mn values, N + ⌈N/8⌉ bytes up to padding: ⌈N/8⌉ words of 8 bytes with the biased float exponents (code c is
/// 2^(c−127), 0 is zero, 255 infinity), then ⌈N/64⌉ words with the sign bits (1 is negative). bytes = 8(⌈N/8⌉ + ⌈N/64⌉).
template <class T, class Exec>
class Natural final : public Compressor<T, Exec> {
 public:
  Natural(int rows, int cols, bool stochastic) : Compressor<T, Exec>(rows, cols), stochastic_(stochastic) {}
  std::string spec() const override { return stochastic_ ? "natural:stochastic" : "natural"; }
  std::size_t bytes_bound() const override;
  bool fixed_length() const override { return true; }
  double guaranteed_alpha() const override { return stochastic_ ? 7.0 / 8 : 8.0 / 9 - 1e-6; }  // decoded values are added in T
  bool is_random() const override { return stochastic_; }
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  bool stochastic_;
};

}  // namespace kaon

#endif
