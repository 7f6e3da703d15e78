#include <kaon/codec/pack.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/compress/topk.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/elementwise.hpp>

#include <algorithm>

namespace kaon {
namespace {

/// Writes the length of the values in front of them, and counts it in.
template <class Exec>
struct WriteHead {
  std::uint64_t* head;
  Scalar<std::uint64_t, Exec> length;
  KOKKOS_FUNCTION void operator()(std::int64_t) const {
    *head = length();
    length() += sizeof *head;
  }
};

/// Indices from corrupt bytes may repeat; they never leave y.
template <class T>
struct AddAt {
  T* y;
  std::uint32_t n;
  std::uint32_t const* index;
  T const* value;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    if (index[i] < n) y[index[i]] += value[i];
  }
};

}  // namespace

template <class T, class Exec>
std::int64_t TopK<T, Exec>::count(double fraction, int rows, int cols) {
  if (!(fraction > 0 && fraction <= 1)) throw UsageError("top:" + detail::shortest(fraction) + ": the fraction is not in (0, 1]");
  auto const n = static_cast<std::int64_t>(rows) * cols;
  return std::clamp<std::int64_t>(detail::floor_fraction(fraction, static_cast<double>(n)), 1, n);
}

template <class T, class Exec>
TopK<T, Exec>::TopK(int rows, int cols, double fraction, ValueCoder<T, Exec> values)
    : Compressor<T, Exec>(rows, cols),
      fraction_(fraction),
      kept_(count(fraction, rows, cols)),
      values_(std::move(values)),
      indices_(static_cast<std::uint64_t>(this->entries()), static_cast<std::uint64_t>(kept_)),
      select_(this->entries(), kept_),
      index_("kaon::compress::top_index", static_cast<std::size_t>(kept_)),
      value_("kaon::compress::top_value", 1, static_cast<std::size_t>(kept_)) {
  require(values_ != nullptr && values_->rows() == 1 && values_->cols() == kept_, "top: values of another shape");
}

template <class T, class Exec>
std::string TopK<T, Exec>::spec() const {
  auto const head = "top:" + detail::shortest(fraction_);
  return values_->replaces() ? head : head + "+" + values_->spec();
}

template <class T, class Exec>
double TopK<T, Exec>::guaranteed_alpha() const {
  return values_->guaranteed_alpha() * static_cast<double>(kept_) / static_cast<double>(this->entries());
}

template <class T, class Exec>
std::size_t TopK<T, Exec>::value_bytes(std::size_t length) const {
  if (values_->fixed_length()) return values_->bytes_bound();
  return std::min(values_->bytes_bound(), length - head() - static_cast<std::size_t>(indices_.bytes_least()));
}

template <class T, class Exec>
bool TopK<T, Exec>::plausible(std::size_t length) const {
  std::size_t const least = head() + (values_->fixed_length() ? values_->bytes_bound() : 0) + indices_.bytes_least();
  if (length % 8 != 0 || length > bytes_bound() || length < least) return false;
  return values_->plausible(value_bytes(length));
}

template <class T, class Exec>
void TopK<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                             In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const&, StreamKey const& key) {
  this->check_compress(payload, x);
  Vector<T, Exec> const values(value_.data(), value_.size());
  select_(exec, index_, values, ConstVector<T, Exec>(x.data(), x.size()));
  values_->compress(exec, detail::bytes_from(payload, head(), values_->bytes_bound()), length, value_, {}, key);
  if (!values_->fixed_length())
    Kokkos::parallel_for("kaon::compress::top_head", Kokkos::RangePolicy<Exec>(exec, 0, 1),
                         WriteHead<Exec>{as_words<Exec>(payload, head()), length});
  indices_.append(exec, payload, length, index_);
}

template <class T, class Exec>
void TopK<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                   std::size_t length) {
  this->check_decompress(y, payload, length);
  if (!values_->replaces()) fill<T>(exec, value_, T(0));
  std::size_t const bytes = value_bytes(length);
  values_->decompress_add(exec, value_, detail::bytes_from(payload, head(), bytes), bytes);
  if (values_->fixed_length())
    indices_.decode(exec, index_, detail::bytes_from(payload, bytes, length - bytes), length - bytes);
  else
    indices_.decode(exec, index_, detail::bytes_from(payload, head(), length - head()), length - head(),
                    ConstScalar<std::uint64_t, Exec>(as_words<Exec>(payload, head())));
  Kokkos::parallel_for("kaon::compress::top_add", Kokkos::RangePolicy<Exec>(exec, 0, kept_),
                       AddAt<T>{y.data(), static_cast<std::uint32_t>(this->entries()), index_.data(), value_.data()});
}

#define KAON_KERNEL(T, Exec) template class TopK<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
