#ifndef KAON_COMPRESS_BLOCK_BITS_HPP
#define KAON_COMPRESS_BLOCK_BITS_HPP

#include <kaon/compress/compressor.hpp>

namespace kaon {

/// b-bit values, b ∈ {1, 2, 4, 8}, with one bfloat16 scale for each block of the flattened row-major matrix (the last block may
/// be short). Every block carries γ·q with codes q and the least-squares scale γ = ⟨x, q⟩/‖q‖², so that ‖x − γq‖² = (1 − cos²(x,
/// q))‖x‖²: never expansive; rounding γ by a factor 1 + δ, |δ| ≤ 2⁻⁸, leaves α(1 − δ²).
///
/// Codes q of a value v in a block of B values, and the guaranteed α / (1 − 2⁻¹⁶):
///   b = 1: sign v, γ = mean |v|; 1/B.
///   b = 2: l = ±0.4528 where |v| ≤ θ = 0.9816 rms, else h = ±1.510 (Lloyd–Max for a Gaussian; Max, 1960);
///          h²/((h² − l²)√B/θ + l²B), B ≥ 16.
///   b = 4, 8: mid-rise ±(c + ½), c = ⌊(1 − 2⁻²²)H|v|/max|v|⌋ in float, H = 2^(b−1); see block_bits_alpha.
///
/// A block of zeros has γ = 0 and decodes to zeros. In other blocks a zero has the sign +. Values beyond the range of float
/// (double only) are clamped to it, those below it are zero; a NaN or an infinity makes its whole block NaN (codes 0). Blocks
/// below 2⁻¹¹⁸ lose digits and with them α, never below 0. Decoded values are clamped to ±FLT_MAX.
///
/// Payload of N values: ⌈N/B⌉ u16 scales padded to 8 bytes, then the codes packed as in codec/pack.hpp, 8⌈Nb/64⌉ bytes. Code:
/// c in the low b − 1 bits, the sign (1 is negative) above. bytes = 8⌈2⌈N/B⌉/8⌉ + 8⌈Nb/64⌉.
template <class T, class Exec>
class BlockBits final : public Compressor<T, Exec> {
 public:
  /// Throws UsageError unless bits is 1, 2, 4 or 8 and block a multiple of 64 in [64, 65536].
  BlockBits(int rows, int cols, int bits, int block);
  std::string spec() const override;
  std::size_t bytes_bound() const override;
  bool fixed_length() const override { return true; }
  double guaranteed_alpha() const override;
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  int bits_, block_;
};

/// α guaranteed for one block of `count` values. Derivation for 4 and 8 bits, in units of the step, with A the entries of c ≥ 1
/// and z those of c = 0: on A 2/3 ≤ x/q ≤ 4/3, on the others x ≤ 1 and q = ½, hence ⟨x, q⟩ ≥ ½‖x‖² and ⟨x, q⟩ ≥ ⅔‖q_A‖², so cos²
/// ≥ ⅓‖q_A‖²/(‖q_A‖² + z/4) with ‖q_A‖² ≥ (H − ½)²; and, as every error is at most ½, cos² ≥ 1 − B/(4H²).
double block_bits_alpha(int bits, std::int64_t count);

}  // namespace kaon

#endif
