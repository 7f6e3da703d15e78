#ifndef KAON_COMPRESS_SIGN_HPP
#define KAON_COMPRESS_SIGN_HPP

#include <kaon/compress/registry.hpp>
#include <kaon/linalg/norms.hpp>

namespace kaon {

/// C(x) = s·sign(x) with s = ‖x‖₁/(mn) and sign(0) = 1 (Karimireddy et al., arXiv 1901.09847). ‖C(x) − x‖² = ‖x‖² − 2s‖x‖₁ + mns²
/// = ‖x‖² − ‖x‖₁²/(mn), whatever the signs of zeros: α̂ = ‖x‖₁²/(mn‖x‖²) = 2/π for Gaussian entries, and, as ‖x‖₁ ≥ ‖x‖, at least
/// 1/(mn), attained by a single non-zero entry. Guaranteed: that, less the rounding of s to T.
///
/// Payload of N = mn values: s (float64), then ⌈N/64⌉ words of sign bits (1 is negative). bytes = 8 + 8⌈N/64⌉.
template <class T, class Exec>
class Sign final : public Compressor<T, Exec> {
 public:
  Sign(int rows, int cols);
  static std::unique_ptr<Compressor<T, Exec>> make(SpecPart<T, Exec> const& part) {
    part.expect(1, 1);
    return std::make_unique<Sign>(part.rows, part.cols);
  }
  std::string spec() const override { return "sign"; }
  std::size_t bytes_bound() const override;
  bool fixed_length() const override { return true; }
  double guaranteed_alpha() const override { return (1 - 1e-6) / static_cast<double>(this->entries()); }
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  Scalar<double, Exec> sum_;
  Vector<double, Exec> partials_;
};

}  // namespace kaon

#endif
