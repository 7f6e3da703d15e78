#ifndef KAON_COMPRESS_RANKK_HPP
#define KAON_COMPRESS_RANKK_HPP

#include <kaon/compress/compressor.hpp>
#include <kaon/linalg/orthonormalize.hpp>

namespace kaon {

/// Rank K = max(1, ⌊F·min(m, n)⌋) by one step of subspace iteration from the previous step's right factor V (n×K, the state), as
/// PowerSGD does (Vogels et al., arXiv 1905.13727): Q = orth(xV), Q̂ = decoded message of Q, B = Q̂ᵀx, B̂ = decoded message of
/// B, C(x) = γ Q̂B̂ with the least-squares γ = ⟨x, Q̂B̂⟩/‖Q̂B̂‖² = ⟨B, B̂⟩/⟨Q̂ᵀQ̂, B̂B̂ᵀ⟩, which is 1 for plain values; then
/// V ← Bᵀ with its columns scaled to 1. Orthogonalising V too would change nothing but rounding: it multiplies V by a triangular
/// matrix from the right, and the orthogonal factor of xV is the same. Cost: the two products with x, 4mnK flop, and 8mK² for Q;
/// coded factors 2(m + n)K² more.
///
/// ‖x − C(x)‖² = (1 − cos²(x, Q̂B̂))‖x‖²: never expansive, whatever the factors' coding does. No α > 0 holds for every input and
/// state: guaranteed_alpha() is 0. The truncated SVD, to which the iteration converges on a slowly changing x, has K/min(m, n).
/// Directions that x lacks (or a NaN in x) leave nothing in V; they are refilled with random signs, so a zero x does not end
/// the iteration. (float: γ = 1 where ‖Q̂B̂‖² is outside the range of float.)
///
/// Payload: γ as 8 bytes (double), then the value compressor's bytes for Q (m×K), then for B (K×n: a row is one component, so
/// blocks of scales run along components). Plain values for `rank:F`. bytes = 8 + bytes(m×K) + bytes(K×n).
/// Where the value compressor's length varies, γ is followed by the bytes of the first factor (u64), and the second follows the
/// first at once.
template <class T, class Exec>
class RankK final : public Compressor<T, Exec> {
 public:
  /// `left`, `right`: no state, shapes m×K and K×n with K = count(fraction, rows, cols).
  RankK(int rows, int cols, double fraction, ValueCoder<T, Exec> left, ValueCoder<T, Exec> right);
  /// K for this fraction and shape. Throws UsageError unless 0 < fraction ≤ 1.
  static int count(double fraction, int rows, int cols);

  std::string spec() const override;
  std::size_t bytes_bound() const override { return head() + left_->bytes_bound() + right_->bytes_bound(); }
  bool fixed_length() const override { return head() == 8; }
  bool plausible(std::size_t length) const override;
  double guaranteed_alpha() const override { return 0; }
  bool is_random() const override { return left_->is_random(); }
  std::pair<int, int> state_shape() const override { return {this->cols(), rank_}; }
  void initialize_state(Exec const& exec, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  /// Bytes before the first factor: γ, and its length where that is not fixed.
  std::size_t head() const { return left_->fixed_length() && right_->fixed_length() ? 8 : 16; }
  void require_state(Matrix<T, Exec> const& state) const;
  void write_scale(Exec const& exec, Bytes<Exec> const& payload, Bytes<Exec> const& right);
  void decode(Exec const& exec, Compressor<T, Exec>& coder, Matrix<T, Exec> const& out, ConstBytes<Exec> const& bytes) const;

  double fraction_;
  int rank_;
  ValueCoder<T, Exec> left_, right_;
  Orthonormalizer<T, Exec> orthonormalize_;
  bool plain_ = false;  ///< factors are sent as they are: no decoded copies, γ = 1
  Matrix<T, Exec> q_, b_, q_hat_, b_hat_, gram_q_, gram_b_;
  Scalar<double, Exec> inner_, square_;
  Vector<double, Exec> row_scales_, partials_;
  Bytes<Exec> right_bytes_;  // with left_length_, right_length_: factors whose length the device alone knows
  Scalar<std::uint64_t, Exec> left_length_, right_length_;
};

}  // namespace kaon

#endif
