#include <kaon/codec/pack.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/compress/rankk.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/norms.hpp>

#include <algorithm>
#include <cmath>

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

/// scale(i) = 1/‖row i of B‖, or 0 where that is no usable number. On hosts in 64 lanes, so that the sums vectorise.
template <class T, class Exec>
struct RowScales {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Vector<double, Exec> scale;
  ConstMatrix<T, Exec> b;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    int const i = team.league_rank(), n = static_cast<int>(b.extent(1));
    T const* const row = &b(i, 0);
    double sum = 0;
    if constexpr (runs_on_host<Exec>) {
      double lane[64] = {};
      int j = 0;
      for (; j + 64 <= n; j += 64)
        for (int l = 0; l < 64; ++l) lane[l] += static_cast<double>(row[j + l]) * static_cast<double>(row[j + l]);
      for (; j < n; ++j) lane[j % 64] += static_cast<double>(row[j]) * static_cast<double>(row[j]);
      for (int l = 0; l < 64; ++l) sum += lane[l];
    } else {
      Kokkos::parallel_reduce(
          Kokkos::TeamThreadRange(team, n),
          [&](int const j, double& s) { s += static_cast<double>(row[j]) * static_cast<double>(row[j]); }, sum);
    }
    bool const used = math::isfinite(sum) && sum > 1e-300;
    if (team.team_rank() == 0) scale(i) = used ? 1.0 / math::sqrt(sum) : 0.0;
  }
};

/// V = Bᵀ with columns of norm 1; where a row of B is nothing, random signs/√n instead: one word of the stream is 32 of them.
template <class T, class Exec>
struct NextState {
  static constexpr int tile = runs_on_host<Exec> ? 32 : 1;
  Matrix<T, Exec> v;
  ConstMatrix<T, Exec> b;
  ConstVector<double, Exec> scale;
  std::int64_t n, k, across;
  double size;
  StreamKey key;
  KOKKOS_FUNCTION void operator()(std::int64_t task) const {
    std::int64_t const i0 = task % across * tile, j0 = task / across * tile;
    int const rows = static_cast<int>(k - i0 < tile ? k - i0 : tile), cols = static_cast<int>(n - j0 < tile ? n - j0 : tile);
    T part[tile][tile];
    for (int i = 0; i < rows; ++i) {
      double const by = scale(i0 + i);
      T const* const row = &b(i0 + i, j0);
      if (by > 0) {
        for (int j = 0; j < cols; ++j) part[i][j] = static_cast<T>(static_cast<double>(row[j]) * by);
      } else {
        std::uint32_t const bits = random_word(key, static_cast<std::uint64_t>(j0 / 32 * k + i0 + i)) >> (j0 % 32);
        for (int j = 0; j < cols; ++j) part[i][j] = static_cast<T>((bits >> j & 1U) != 0 ? -size : size);
      }
    }
    for (int j = 0; j < cols; ++j) {
      T* const to = &v(j0 + j, i0);
      for (int i = 0; i < rows; ++i) to[i] = part[i][j];
    }
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

/// Factors of a length that the device alone knows: the second moves behind the first, whose length is word 1.
template <class Exec>
struct Join {
  std::uint64_t* payload;
  std::uint64_t const* right;
  Scalar<std::uint64_t, Exec> length;
  ConstScalar<std::uint64_t, Exec> left_length, right_length;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const {
    std::uint64_t const first = left_length() / 8, count = right_length() / 8;
    if (w == 0) {
      payload[1] = 8 * first;
      length() = 16 + 8 * (first + count);
    }
    if (static_cast<std::uint64_t>(w) < count) payload[2 + first + static_cast<std::uint64_t>(w)] = right[w];
  }
};
/// The second factor's bytes again, zeros behind; whatever word 1 says, nothing beyond `words` is read.
struct Split {
  std::uint64_t* right;
  std::uint64_t const* payload;
  std::uint64_t words;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const {
    std::uint64_t const first = payload[1] / 8, at = 2 + first + static_cast<std::uint64_t>(w);
    right[w] = first < words && at < words ? payload[at] : 0;
  }
};

struct WriteOne {
  double* to;
  KOKKOS_FUNCTION void operator()(std::int64_t) const { *to = 1; }
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
      orthonormalize_(rows, rank_),
      q_("kaon::compress::rank_q", size(rows), size(rank_)),
      b_("kaon::compress::rank_b", size(rank_), size(cols)),
      row_scales_("kaon::compress::rank_row_scales", size(rank_)) {
  require(left_ && right_ && left_->rows() == rows && left_->cols() == rank_ && right_->rows() == rank_ && right_->cols() == cols,
          "rank: factors of another shape");
  plain_ = left_->replaces() && right_->replaces();
  if (head() > 8) {
    right_bytes_ = Bytes<Exec>("kaon::compress::rank_right_bytes", right_->bytes_bound());
    left_length_ = Scalar<std::uint64_t, Exec>("kaon::compress::rank_left_length");
    right_length_ = Scalar<std::uint64_t, Exec>("kaon::compress::rank_right_length");
  }
  q_hat_ = plain_ ? q_ : Matrix<T, Exec>("kaon::compress::rank_q_hat", size(rows), size(rank_));
  b_hat_ = plain_ ? b_ : Matrix<T, Exec>("kaon::compress::rank_b_hat", size(rank_), size(cols));
  if (plain_) return;
  gram_q_ = Matrix<T, Exec>("kaon::compress::rank_gram_q", size(rank_), size(rank_));
  gram_b_ = Matrix<T, Exec>("kaon::compress::rank_gram_b", size(rank_), size(rank_));
  inner_ = Scalar<double, Exec>("kaon::compress::rank_inner");
  square_ = Scalar<double, Exec>("kaon::compress::rank_square");
  partials_ = Vector<double, Exec>("kaon::compress::rank_partials", size(norm_workspace(rank_, std::max(rank_, cols))));
}

template <class T, class Exec>
std::string RankK<T, Exec>::spec() const {
  auto const head = "rank:" + detail::shortest(fraction_);
  return left_->replaces() ? head : head + "+" + left_->spec();
}

template <class T, class Exec>
bool RankK<T, Exec>::plausible(std::size_t length) const {
  if (head() == 8) return length == bytes_bound();
  if (length % 8 != 0 || length <= head() || length > bytes_bound()) return false;
  return left_->plausible(std::min(left_->bytes_bound(), length - head())) && right_->plausible(right_->bytes_bound());
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
  Orthonormalizer<T, Exec> orthonormalize(this->cols(), rank_);
  orthonormalize(exec, state);
  exec.fence();
}

template <class T, class Exec>
void RankK<T, Exec>::decode(Exec const& exec, Compressor<T, Exec>& coder, Matrix<T, Exec> const& out,
                            ConstBytes<Exec> const& bytes) const {
  if (!coder.replaces()) fill<T>(exec, out, T(0));
  coder.decompress_add(exec, out, bytes, bytes.extent(0));
}

template <class T, class Exec>
void RankK<T, Exec>::write_scale(Exec const& exec, Bytes<Exec> const& payload, Bytes<Exec> const& right) {
  auto* const to = reinterpret_cast<double*>(payload.data());
  Kokkos::RangePolicy<Exec> const one(exec, 0, 1);
  if (plain_) {
    Kokkos::parallel_for("kaon::compress::rank_scale", one, WriteOne{to});
    return;
  }
  decode(exec, *right_, b_hat_, right);
  dot<T>(exec, inner_, partials_, b_, b_hat_);
  gram<T>(exec, gram_q_, q_hat_);
  symmetric_product<T>(exec, gram_b_, b_hat_);
  dot<T>(exec, square_, partials_, gram_q_, gram_b_);
  Kokkos::parallel_for("kaon::compress::rank_scale", one, WriteScale<T, Exec>{to, inner_, square_});
}

template <class T, class Exec>
void RankK<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                              In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) {
  this->check_compress(payload, x);
  require_state(state);
  bool const coded = head() > 8;
  auto const left = detail::bytes_from(payload, head(), left_->bytes_bound());
  auto const right = coded ? right_bytes_ : detail::bytes_from(payload, head() + left_->bytes_bound(), right_->bytes_bound());

  gemm<T>(exec, q_, Op::none, x, Op::none, state);
  orthonormalize_(exec, q_);
  left_->compress(exec, left, coded ? left_length_ : length, q_, {}, key);
  if (!plain_) decode(exec, *left_, q_hat_, left);
  gemm<T>(exec, b_, Op::transpose, q_hat_, Op::none, x);
  right_->compress(exec, right, coded ? right_length_ : length, b_, {}, detail::second_stream(key, stream_right));
  write_scale(exec, payload, right);

  auto const n = static_cast<std::int64_t>(this->cols()), k = static_cast<std::int64_t>(rank_);
  Kokkos::parallel_for("kaon::compress::rank_row_scales", Kokkos::TeamPolicy<Exec>(exec, rank_, fixed_team_size<Exec>),
                       RowScales<T, Exec>{row_scales_, b_});
  using Next = NextState<T, Exec>;
  std::int64_t const across = (k + Next::tile - 1) / Next::tile, down = (n + Next::tile - 1) / Next::tile;
  Kokkos::parallel_for("kaon::compress::rank_next",
                       Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, across * down),
                       Next{state, b_, row_scales_, n, k, across, 1 / std::sqrt(static_cast<double>(n)),
                            detail::second_stream(key, stream_refill)});
  if (coded)
    Kokkos::parallel_for("kaon::compress::rank_join",
                         Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(right_->bytes_bound() / 8)),
                         Join<Exec>{as_words<Exec>(payload, bytes_bound()), as_words<Exec>(right, right.extent(0)), length,
                                    left_length_, right_length_});
  else
    detail::set_length(exec, length, bytes_bound());
}

template <class T, class Exec>
void RankK<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                    std::size_t length) {
  this->check_decompress(y, payload, length);
  std::size_t const left_bytes = std::min(left_->bytes_bound(), length - head());
  decode(exec, *left_, q_hat_, detail::bytes_from(payload, head(), left_bytes));
  if (head() > 8) {
    Kokkos::parallel_for("kaon::compress::rank_split",
                         Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(right_->bytes_bound() / 8)),
                         Split{as_words<Exec>(right_bytes_, right_->bytes_bound()), as_words<Exec>(payload, length), length / 8});
    decode(exec, *right_, b_hat_, right_bytes_);
  } else {
    decode(exec, *right_, b_hat_, detail::bytes_from(payload, head() + left_bytes, right_->bytes_bound()));
  }
  Kokkos::parallel_for("kaon::compress::rank_rescale",
                       Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(b_hat_.size())),
                       ScaleBy<T>{b_hat_.data(), reinterpret_cast<double const*>(payload.data())});
  gemm<T>(exec, y, Op::none, q_hat_, Op::none, b_hat_, T(1), T(1));
}

#define KAON_KERNEL(T, Exec) template class RankK<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
