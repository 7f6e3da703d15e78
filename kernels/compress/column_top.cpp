#include <kaon/compress/column_top.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/norms.hpp>

#include <algorithm>

namespace kaon {
namespace {

inline constexpr int tile = 16;  // rows of x that one task moves: a cache line of a column's values

/// value(k, i) ← x(i, index(k)).
template <class T>
struct TakeColumns {
  T* value;
  T const* x;
  std::uint32_t const* index;
  std::int64_t rows, cols, kept;
  KOKKOS_FUNCTION void operator()(std::int64_t task) const {
    std::int64_t const k = task % kept, begin = task / kept * tile;
    std::int64_t const end = begin + tile < rows ? begin + tile : rows;
    for (std::int64_t i = begin; i < end; ++i) value[k * rows + i] = x[i * cols + index[k]];
  }
};

/// y(i, index(k)) ← y(i, index(k)) + value(k, i). Indices from corrupt bytes may repeat; they never leave y.
template <class T>
struct AddColumns {
  T* y;
  T const* value;
  std::uint32_t const* index;
  std::int64_t rows, cols, kept;
  KOKKOS_FUNCTION void operator()(std::int64_t task) const {
    std::int64_t const k = task % kept, begin = task / kept * tile;
    std::int64_t const end = begin + tile < rows ? begin + tile : rows;
    if (index[k] >= static_cast<std::uint32_t>(cols)) return;
    for (std::int64_t i = begin; i < end; ++i) y[i * cols + index[k]] += value[k * rows + i];
  }
};

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
std::int64_t tasks(std::int64_t rows, std::int64_t kept) { return (rows + tile - 1) / tile * kept; }

}  // namespace

template <class T, class Exec>
int ColumnTop<T, Exec>::count(double fraction, int cols) {
  return std::clamp(static_cast<int>(detail::floor_fraction(fraction, cols)), 1, cols);
}

template <class T, class Exec>
ColumnTop<T, Exec>::ColumnTop(int rows, int cols, double fraction, ValueCoder<T, Exec> values)
    : Compressor<T, Exec>(rows, cols),
      fraction_(fraction),
      kept_(count(fraction, cols)),
      values_(std::move(values)),
      indices_(static_cast<std::uint64_t>(cols), static_cast<std::uint64_t>(kept_)),
      select_(cols, kept_),
      index_("kaon::compress::columns_index", size(kept_)),
      squares_("kaon::compress::columns_squares", size(cols)),
      partials_("kaon::compress::columns_partials", size(column_workspace(rows, cols))),
      kept_squares_("kaon::compress::columns_kept_squares", size(kept_)),
      value_("kaon::compress::columns_value", size(kept_), size(rows)) {
  require(values_ != nullptr && values_->rows() == kept_ && values_->cols() == rows, "columns: values of another shape");
}

template <class T, class Exec>
std::string ColumnTop<T, Exec>::spec() const {
  auto const head = "columns:" + detail::shortest(fraction_);
  return values_->replaces() ? head : head + "+" + values_->spec();
}

template <class T, class Exec>
bool ColumnTop<T, Exec>::plausible(std::size_t length) const {
  return length % 8 == 0 && length >= values_->bytes_bound() + indices_.bytes_least() && length <= bytes_bound();
}

template <class T, class Exec>
void ColumnTop<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload,
                                  Out<Scalar<std::uint64_t, Exec>> const& length, In<ConstMatrix<T, Exec>> const& x,
                                  Out<Matrix<T, Exec>> const&, StreamKey const& key) {
  this->check_compress(payload, x);
  column_sum_squares<T>(exec, squares_, partials_, x);
  select_(exec, index_, kept_squares_, squares_);
  Kokkos::parallel_for("kaon::compress::columns", Kokkos::RangePolicy<Exec>(exec, 0, tasks(this->rows(), kept_)),
                       TakeColumns<T>{value_.data(), x.data(), index_.data(), this->rows(), this->cols(), kept_});
  std::size_t const head = values_->bytes_bound();
  values_->compress(exec, detail::bytes_from(payload, 0, head), length, value_, {}, key);
  indices_.encode(exec, detail::bytes_from(payload, head, indices_.bytes_bound()), length, head, index_);
}

template <class T, class Exec>
void ColumnTop<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                        std::size_t length) {
  this->check_decompress(y, payload, length);
  std::size_t const head = values_->bytes_bound();
  if (!values_->replaces()) fill<T>(exec, value_, T(0));
  values_->decompress_add(exec, value_, detail::bytes_from(payload, 0, head), head);
  indices_.decode(exec, index_, detail::bytes_from(payload, head, length - head), length - head);
  Kokkos::parallel_for("kaon::compress::columns_add", Kokkos::RangePolicy<Exec>(exec, 0, tasks(this->rows(), kept_)),
                       AddColumns<T>{y.data(), value_.data(), index_.data(), this->rows(), this->cols(), kept_});
}

#define KAON_KERNEL(T, Exec) template class ColumnTop<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
