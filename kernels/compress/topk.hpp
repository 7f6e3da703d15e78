#ifndef KAON_COMPRESS_TOPK_HPP
#define KAON_COMPRESS_TOPK_HPP

#include <kaon/codec/index_code.hpp>
#include <kaon/compress/compressor.hpp>
#include <kaon/compress/select.hpp>

namespace kaon {

/// Keeps the K = max(1, ⌊F·mn⌋) entries of largest magnitude (ties: lowest index in row-major order; NaN is largest), with values
/// as they are or compressed further, α = α_values · K/mn.
///
/// Payload: the bytes of the value compressor for the K values as a 1×K matrix in index order (plain values for `top:F`), then
/// the indices as in codec/index_code.hpp. Length: value bytes + at most index_bytes_bound(mn, K). In front of value bytes whose
/// number is not fixed stands that number as a u64.
template <class T, class Exec>
class TopK final : public Compressor<T, Exec> {
 public:
  /// `values` must have no state and the shape 1×count(fraction, rows, cols).
  TopK(int rows, int cols, double fraction, ValueCoder<T, Exec> values);
  /// K for this fraction and shape. Throws UsageError unless 0 < fraction ≤ 1.
  static std::int64_t count(double fraction, int rows, int cols);

  std::string spec() const override;
  std::size_t bytes_bound() const override { return head() + values_->bytes_bound() + indices_.bytes_bound(); }
  bool fixed_length() const override { return false; }  // the indices are entropy-coded
  double guaranteed_alpha() const override;
  bool is_random() const override { return values_->is_random(); }
  bool plausible(std::size_t length) const override;
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  std::size_t head() const { return values_->fixed_length() ? 0 : 8; }
  std::size_t value_bytes(std::size_t length) const;  // all that may hold values, in a payload of this length

  double fraction_;
  std::int64_t kept_;
  ValueCoder<T, Exec> values_;
  IndexCodec<Exec> indices_;
  TopSelector<T, Exec> select_;
  Vector<std::uint32_t, Exec> index_;
  Matrix<T, Exec> value_;  // 1×K
};

}  // namespace kaon

#endif
