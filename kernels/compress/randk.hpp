#ifndef KAON_COMPRESS_RANDK_HPP
#define KAON_COMPRESS_RANDK_HPP

#include <kaon/compress/permutation.hpp>
#include <kaon/compress/registry.hpp>

namespace kaon {

/// Keeps K = max(1, ⌊F·mn⌋) entries at random, unscaled, with values as they are or compressed further. Kept is entry π(i), i <
/// K, of the permutation π that a seed drawn from the key defines. Each entry is kept with probability K/mn: E‖C(x) − x‖² =
/// (1 − K/mn)‖x‖² + E‖coding error‖² with E‖coding error‖² ≤ (1 − α_values)(K/mn)‖x‖², so α = α_values · K/mn, in expectation.
///
/// Payload: the seed (u64), then the bytes of the value compressor for the values in the order of i as a 1×K matrix (plain
/// values for `rand:F`). No indices: the receiver makes π from the seed. Length: 8 + that of the values.
template <class T, class Exec>
class RandK final : public Compressor<T, Exec> {
 public:
  /// `values` must have no state and the shape 1×count(fraction, rows, cols).
  RandK(int rows, int cols, double fraction, ValueCoder<T, Exec> values);
  /// K for this fraction and shape.
  static std::int64_t count(double fraction, int rows, int cols);
  static std::unique_ptr<Compressor<T, Exec>> make(SpecPart<T, Exec> const& part) {
    double const f = part.fraction();
    return std::make_unique<RandK>(part.rows, part.cols, f, part.values(1, static_cast<int>(count(f, part.rows, part.cols))));
  }

  std::string spec() const override;
  std::size_t bytes_bound() const override { return 8 + values_->bytes_bound(); }
  double guaranteed_alpha() const override;
  bool fixed_length() const override { return values_->fixed_length(); }
  bool plausible(std::size_t length) const override { return length > 8 && values_->plausible(length - 8); }
  bool is_random() const override { return kept_ < this->entries() || values_->is_random(); }
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  double fraction_;
  std::int64_t kept_;
  ValueCoder<T, Exec> values_;
  Matrix<T, Exec> value_;  // 1×K
  Scalar<Permutation, Exec> permutation_;
};

}  // namespace kaon

#endif
