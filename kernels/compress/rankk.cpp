#include <kaon/codec/bits.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/compress/rankk.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/linalg/transpose.hpp>

#include <algorithm>

namespace kaon {
namespace {

inline constexpr std::uint64_t stream_right = 1, stream_refill = 2;

template <class T, class Exec>
struct FillNormal {
  Matrix<T, Exec> v;
  StreamKey key;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    v.data()[i] = static_cast<T>(random_normal(key, static_cast<std::uint64_t>(i)));
  }
};

/// Columns of an orthonormalised matrix are units or zero; the zero ones become random directions again.
template <class T, class Exec>
struct Refill {
  Matrix<T, Exec> v;
  Vector<double, Exec> squares;
  StreamKey key;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    auto const cols = static_cast<std::int64_t>(v.extent(1));
    if (squares(i % cols) == 0) v.data()[i] = static_cast<T>(random_normal(key, static_cast<std::uint64_t>(i)));
  }
};

template <class T, class Exec>
struct WriteScale {
  double* to;
  Scalar<double, Exec> inner, square;
  KOKKOS_FUNCTION void operator()(std::int64_t) const {
    double const least = sizeof(T) == 4 ? 1.2e-38 : 2.3e-308;
    *to = square() >= least && math::isfinite(square()) && math::isfinite(inner()) ? inner() / square() : 1.0;
  }
};

template <class T>
struct ScaleBy {
  T* values;
  double const* scale;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const { values[i] = static_cast<T>(*scale * static_cast<double>(values[i])); }
};

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

template <class T, class Exec>
int RankK<T, Exec>::count(double fraction, int rows, int cols) {
  if (!(fraction > 0 && fraction <= 1))
    throw UsageError("rank:" + detail::shortest(fraction) + ": the fraction is not in (0, 1]");
  int const least = std::min(rows, cols);
  return std::clamp(static_cast<int>(detail::floor_fraction(fraction, least)), 1, least);
}

template <class T, class Exec>
RankK<T, Exec>::RankK(int rows, int cols, double fraction, ValueCoder<T, Exec> left, ValueCoder<T, Exec> right)
    : Compressor<T, Exec>(rows, cols),
      fraction_(fraction),
      rank_(count(fraction, rows, cols)),
      left_(std::move(left)),
      right_(std::move(right)),
      orthonormalize_left_(rows, rank_),
      orthonormalize_right_(cols, rank_),
      q_("kaon::compress::rank_q", size(rows), size(rank_)),
      q_hat_("kaon::compress::rank_q_hat", size(rows), size(rank_)),
      b_("kaon::compress::rank_b", size(rank_), size(cols)),
      b_hat_("kaon::compress::rank_b_hat", size(rank_), size(cols)),
      gram_q_("kaon::compress::rank_gram_q", size(rank_), size(rank_)),
      gram_b_("kaon::compress::rank_gram_b", size(rank_), size(rank_)),
      inner_("kaon::compress::rank_inner"),
      square_("kaon::compress::rank_square"),
      partials_("kaon::compress::rank_partials", size(norm_workspace(rank_, std::max(rank_, cols)))),
      columns_("kaon::compress::rank_columns", size(rank_)),
      column_partials_("kaon::compress::rank_column_partials", size(column_workspace(cols, rank_))) {
  require(left_ && right_ && left_->rows() == rows && left_->cols() == rank_ && right_->rows() == rank_ && right_->cols() == cols,
          "rank: factors of another shape");
}

template <class T, class Exec>
std::string RankK<T, Exec>::spec() const {
  auto const head = "rank:" + detail::shortest(fraction_);
  return left_->replaces() ? head : head + "+" + left_->spec();
}

template <class T, class Exec>
void RankK<T, Exec>::require_state(Matrix<T, Exec> const& state) const {
  require(state.extent(0) == size(this->cols()) && state.extent(1) == size(rank_) && state.span_is_contiguous(),
          "rank: the state has another shape");
}

template <class T, class Exec>
void RankK<T, Exec>::initialize_state(Exec const& exec, Out<Matrix<T, Exec>> const& state, StreamKey const& key) {
  require_state(state);
  auto const n = static_cast<std::int64_t>(state.size());
  Kokkos::parallel_for("kaon::compress::rank_init", Kokkos::RangePolicy<Exec>(exec, 0, n), FillNormal<T, Exec>{state, key});
  orthonormalize_right_(exec, state);
}

template <class T, class Exec>
void RankK<T, Exec>::decode(Exec const& exec, Compressor<T, Exec>& coder, Matrix<T, Exec> const& out,
                            ConstBytes<Exec> const& bytes) const {
  if (!coder.replaces()) fill<T>(exec, out, T(0));
  coder.decompress_add(exec, out, bytes, bytes.extent(0));
}

template <class T, class Exec>
void RankK<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                              In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) {
  this->check_compress(payload, x);
  require_state(state);
  auto const left = detail::bytes_from(payload, 8, left_->bytes_bound());
  auto const right = detail::bytes_from(payload, 8 + left_->bytes_bound(), right_->bytes_bound());

  gemm<T>(exec, q_, Op::none, x, Op::none, state);
  orthonormalize_left_(exec, q_);
  left_->compress(exec, left, length, q_, {}, key);
  decode(exec, *left_, q_hat_, left);
  gemm<T>(exec, b_, Op::transpose, q_hat_, Op::none, x);
  right_->compress(exec, right, length, b_, {}, detail::second_stream(key, stream_right));
  decode(exec, *right_, b_hat_, right);

  dot<T>(exec, inner_, partials_, b_, b_hat_);
  gram<T>(exec, gram_q_, q_hat_);
  symmetric_product<T>(exec, gram_b_, b_hat_);
  dot<T>(exec, square_, partials_, gram_q_, gram_b_);
  Kokkos::parallel_for("kaon::compress::rank_scale", Kokkos::RangePolicy<Exec>(exec, 0, 1),
                       WriteScale<T, Exec>{reinterpret_cast<double*>(payload.data()), inner_, square_});

  transpose<T>(exec, state, b_);
  orthonormalize_right_(exec, state);
  column_sum_squares<T>(exec, columns_, column_partials_, state);
  Kokkos::parallel_for("kaon::compress::rank_refill", Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(state.size())),
                       Refill<T, Exec>{state, columns_, detail::second_stream(key, stream_refill)});
  detail::set_length(exec, length, bytes_bound());
}

template <class T, class Exec>
void RankK<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                    std::size_t length) {
  this->check_decompress(y, payload, length);
  decode(exec, *left_, q_hat_, detail::bytes_from(payload, 8, left_->bytes_bound()));
  decode(exec, *right_, b_hat_, detail::bytes_from(payload, 8 + left_->bytes_bound(), right_->bytes_bound()));
  Kokkos::parallel_for("kaon::compress::rank_rescale",
                       Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(b_hat_.size())),
                       ScaleBy<T>{b_hat_.data(), reinterpret_cast<double const*>(payload.data())});
  gemm<T>(exec, y, Op::none, q_hat_, Op::none, b_hat_, T(1), T(1));
}

#define KAON_KERNEL(T, Exec) template class RankK<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
