#ifndef KAON_COMPRESS_COLUMN_TOP_HPP
#define KAON_COMPRESS_COLUMN_TOP_HPP

#include <kaon/codec/index_code.hpp>
#include <kaon/compress/registry.hpp>
#include <kaon/compress/select.hpp>

namespace kaon {

/// Keeps the K = max(1, ⌊F·n⌋) columns of largest 2-norm (ties: lowest index; a column with a NaN is largest), with values as
/// they are or compressed further. The kept columns hold at least K/n of ‖x‖² = Σ_j ‖x_j‖²: α = α_values · K/n.
///
/// Payload: the bytes of the value compressor for the kept columns as the rows of a K×m matrix, in index order (blocks of scales
/// run along a column: norms differ between columns), then the K indices as in codec/index_code.hpp. Length: values(K×m) + at
/// most index_bytes_bound(n, K).
template <class T, class Exec>
class ColumnTop final : public Compressor<T, Exec> {
 public:
  /// `values` must have fixed length, no state, and the shape count(fraction, cols)×rows.
  ColumnTop(int rows, int cols, double fraction, ValueCoder<T, Exec> values);
  /// K for this fraction and number of columns.
  static int count(double fraction, int cols);
  static std::unique_ptr<Compressor<T, Exec>> make(SpecPart<T, Exec> const& part) {
    double const f = part.fraction();
    return std::make_unique<ColumnTop>(part.rows, part.cols, f, part.fixed_values(count(f, part.cols), part.rows));
  }

  std::string spec() const override;
  std::size_t bytes_bound() const override { return values_->bytes_bound() + indices_.bytes_bound(); }
  bool fixed_length() const override { return false; }  // the indices are entropy-coded
  double guaranteed_alpha() const override { return values_->guaranteed_alpha() * kept_ / this->cols(); }
  bool is_random() const override { return values_->is_random(); }
  bool plausible(std::size_t length) const override;
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  double fraction_;
  int kept_;
  ValueCoder<T, Exec> values_;
  IndexCodec<Exec> indices_;
  TopSelector<double, Exec> select_;
  Vector<std::uint32_t, Exec> index_;
  Vector<double, Exec> squares_, partials_, kept_squares_;
  Matrix<T, Exec> value_;  // K×m
};

}  // namespace kaon

#endif
