#ifndef KAON_COMPRESS_DITHERING_HPP
#define KAON_COMPRESS_DITHERING_HPP

#include <kaon/compress/registry.hpp>

namespace kaon {

/// b-bit random dithering, b ∈ {2, 4, 8}, in blocks of the flattened row-major matrix (the last block may be short). In a block
/// with M = max|x|, s = 2^(b−1) − 1 and Δ = M/s, the code of v is the sign and c = |v|/Δ rounded down or up at random, so that
/// Δ·c is unbiased (QSGD, Alistarh et al., arXiv 1610.02132, with the largest magnitude for the norm); word i of the stream
/// belongs to entry i. The block carries γ·c with the least-squares γ = ⟨|x|, c⟩/‖c‖²: never expansive, whatever the draw.
///
/// α of a block of N values: 1/(1 + ω) with ω = (√(1 + (N − 1)/s²) − 1)/2, in expectation, less the bfloat16 rounding of γ.
/// Derivation: Q = Δ·c has E Q = x and E‖Q − x‖² = Δ²Σ f(1 − f), f the fractions of |x|/Δ. In units of Δ one entry is s
/// exactly, the others add f(1 − f) to the variance and at least f² to ‖x‖²; Σ f(1 − f) ≤ λ(s² + Σ f²) for all f holds when (N −
/// 1)·max_f (f − (1 + λ)f²) = (N − 1)/(4(1 + λ)) ≤ λs², whose least solution is λ = ω. With η = 1/(1 + ω), E‖ηQ − x‖² =
/// ((1 − η)² + η²ω)‖x‖² at most = ω/(1 + ω) ‖x‖²; γ is at least as good as ηΔ for every draw.
///
/// A NaN or an infinity makes its whole block NaN. Blocks with M < 2⁻¹⁴⁹ decode to zeros; γ < 2⁻¹²⁶ loses digits and with them
/// α, never below 0. Decoded values are clamped to ±FLT_MAX.
///
/// Payload of N values: ⌈N/B⌉ bfloat16 γ padded to 8 bytes, then codes of b bits packed as in codec/pack.hpp, c in the low b − 1
/// bits, the sign (1 is negative) above. bytes = 8⌈2⌈N/B⌉/8⌉ + 8⌈Nb/64⌉.
template <class T, class Exec>
class Dithering final : public Compressor<T, Exec> {
 public:
  /// Throws UsageError unless bits is 2, 4 or 8 and block a multiple of 64 in [64, 65536].
  Dithering(int rows, int cols, int bits, int block);
  static std::unique_ptr<Compressor<T, Exec>> make(SpecPart<T, Exec> const& part) {
    part.expect(2, 3);
    return std::make_unique<Dithering>(part.rows, part.cols, part.integer(1), part.option(2, "block", 256));
  }
  std::string spec() const override;
  std::size_t bytes_bound() const override;
  bool fixed_length() const override { return true; }
  double guaranteed_alpha() const override;
  bool is_random() const override { return true; }
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  int bits_, block_;
};

/// α of one block of `count` values; see Dithering.
double dithering_alpha(int bits, std::int64_t count);

}  // namespace kaon

#endif
