#include <kaon/linalg/orthonormalize.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/norms.hpp>

#include <cmath>
#include <limits>

namespace kaon {
namespace cholesky_qr {

/// residual(j) is 1, or 0 for a zero column; inverse(j) = 1/√squares(j) or 0.
template <class Exec>
struct Start {
  Vector<double, Exec> residual, inverse;
  Vector<int, Exec> good;
  ConstVector<double, Exec> squares;
  KOKKOS_FUNCTION void operator()(int const j) const {
    bool const used = squares(j) > 1e-300;
    residual(j) = used ? 1.0 : 0.0;
    inverse(j) = used ? 1.0 / math::sqrt(squares(j)) : 0.0;
    good(j) = 0;
  }
};

template <class Exec>
struct CopyFlag {
  Scalar<int, Exec> to;
  ConstScalar<int, Exec> from;
  KOKKOS_FUNCTION void operator()(int const) const { to() = from(); }
};

/// Y's columns are X's, divided by their norms.
template <class T, class Exec>
struct Normalise {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Matrix<T, Exec> Y;
  ConstMatrix<T, Exec> X;
  ConstVector<double, Exec> inverse;
  int k;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    T* const to = &Y(team.league_rank(), 0);
    T const* const from = &X(team.league_rank(), 0);
    double const* const by = inverse.data();
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, k),
                         [&](int const j) { to[j] = static_cast<T>(static_cast<double>(from[j]) * by[j]); });
  }
};

/// One team factors S·gram·S = RᵀR (S = 1/√diag) and writes right = S·R⁻¹. R's rows are computed one after the other
/// (left-looking), then the inverse's from the last to the first; columns are independent within a row.
///
/// A pivot below `weak` is raised to it: the column keeps its residual, scaled up, for the next pass to resolve, and is not
/// subtracted from later columns (dividing their rounding errors by a pivot of the same size would grow without bound).
/// residual(j), the norm of what earlier columns do not explain, falls by each pivot; below `rank` (or weak in the last pass) the
/// column is dropped: its column of `right` is zero, and so is residual(j). good(j) counts the passes in which it was not weak;
/// two make it orthonormal to working precision. more() tells whether a column is left that needs another pass.
template <class T, class Exec>
struct Factor {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Matrix<T, Exec> right;
  Vector<double, Exec> residual, scale;
  Vector<int, Exec> good;
  Scalar<int, Exec> more;
  ConstScalar<int, Exec> asked;
  Matrix<double, Exec> R, inverse;
  ConstMatrix<T, Exec> gram;
  int k;
  double weak, rank;
  bool on_demand, last;

  // Columns that one thread handles together: vector lanes on a host, coalesced threads on a device.
  static constexpr int width = runs_on_host<Exec> ? 64 : 1;

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    if (on_demand && asked() == 0) return;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, k), [&](int const j) {
      double const g = static_cast<double>(gram(j, j));
      scale(j) = residual(j) > 0 && g > 0 ? 1.0 / math::sqrt(g) : 0.0;
    });
    team.team_barrier();
    for (int j = 0; j < k; ++j) factor_row(team, j);
    for (int j = k - 1; j >= 0; --j) invert_row(team, j);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, k), [&](int const i) {
      double const by = scale(i);
      for (int c = 0; c < k; ++c) right(i, c) = static_cast<T>(inverse(i, c) * by);
    });
    int most = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, k),
        [&](int const j, int& any) {
          if (residual(j) > 0 && good(j) < 2) any = 1;
        },
        Kokkos::Max<int>(most));
    Kokkos::single(Kokkos::PerTeam(team), [&]() { more() = most > 0 ? 1 : 0; });
  }

  KOKKOS_FUNCTION void factor_row(Member const& team, int j) const {
    double const by = scale(j);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, (k - j + width - 1) / width), [&](int const strip) {
      int const left = j + strip * width;
      int const count = k - left < width ? k - left : width;
      double sum[width] = {};
      for (int i = 0; i < j; ++i) {
        double const r = R(i, j);
        double const* row = &R(i, left);
        for (int c = 0; c < count; ++c) sum[c] += r * row[c];
      }
      for (int c = 0; c < count; ++c) R(j, left + c) = static_cast<double>(gram(j, left + c)) * by * scale(left + c) - sum[c];
    });
    team.team_barrier();
    double const pivot = R(j, j);
    bool const is_weak = !(pivot >= weak);
    double const diagonal = math::sqrt(is_weak ? weak : pivot);
    // In the first pass the columns have norm 1; later a column's norm is what its residual was scaled up to too little.
    double const left_over = by > 0 ? residual(j) * diagonal / by : 0.0;
    bool const drop = by == 0 || left_over < rank || (last && is_weak);
    team.team_barrier();
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, k - j), [&](int const c) {
      R(j, j + c) = drop || (is_weak && c > 0) ? 0.0 : (c == 0 ? diagonal : R(j, j + c) / diagonal);
    });
    Kokkos::single(Kokkos::PerTeam(team), [&]() {
      residual(j) = drop ? 0.0 : left_over;
      good(j) += is_weak || drop ? 0 : 1;
    });
    team.team_barrier();
  }

  KOKKOS_FUNCTION void invert_row(Member const& team, int i) const {
    double const diagonal = R(i, i);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, (k + width - 1) / width), [&](int const strip) {
      int const left = strip * width;
      int const count = k - left < width ? k - left : width;
      double sum[width] = {};
      for (int l = i + 1; l < left + count; ++l) {
        double const r = R(i, l);
        double const* row = &inverse(l, left);
        for (int c = 0; c < count; ++c) sum[c] += r * row[c];
      }
      for (int c = 0; c < count; ++c) {
        int const j = left + c;
        double const unit = i == j ? 1.0 : 0.0;
        inverse(i, j) = j < i || !(diagonal > 0) ? 0.0 : (unit - sum[c]) / diagonal;
      }
    });
    team.team_barrier();
  }
};

/// gram's upper triangle ← XᵀX, summed in double, where asked() is set.
template <class T, class Exec>
struct GramOnDemand {
  static constexpr int deep = runs_on_host<Exec> ? 4 : 1, wide = runs_on_host<Exec> ? 64 : 1;
  Matrix<T, Exec> gram;
  ConstMatrix<T, Exec> X;
  ConstScalar<int, Exec> asked;
  int m, k, strips;
  KOKKOS_FUNCTION void operator()(std::int64_t const task) const {
    if (asked() == 0) return;
    int const top = static_cast<int>(task / strips) * deep, left = static_cast<int>(task % strips) * wide;
    int const rows = k - top < deep ? k - top : deep, cols = k - left < wide ? k - left : wide;
    if (left + cols <= top) return;
    double sum[deep][wide] = {};
    for (int r = 0; r < m; ++r) {
      T const* const row = &X(r, 0);
      for (int a = 0; a < rows; ++a) {
        double const x = static_cast<double>(row[top + a]);
        for (int c = 0; c < cols; ++c) sum[a][c] += x * static_cast<double>(row[left + c]);
      }
    }
    for (int a = 0; a < rows; ++a)
      for (int c = 0; c < cols; ++c) gram(top + a, left + c) = static_cast<T>(sum[a][c]);
  }
};

/// Y ← X·right, summed in double, where asked() is set; `right` is upper triangular.
template <class T, class Exec>
struct ApplyOnDemand {
  static constexpr int wide = runs_on_host<Exec> ? 64 : 1;
  Matrix<T, Exec> Y;
  ConstMatrix<T, Exec> X, right;
  ConstScalar<int, Exec> asked;
  int k, strips;
  KOKKOS_FUNCTION void operator()(std::int64_t const task) const {
    if (asked() == 0) return;
    std::int64_t const r = task / strips;
    int const left = static_cast<int>(task % strips) * wide;
    int const cols = k - left < wide ? k - left : wide;
    double sum[wide] = {};
    for (int l = 0; l < left + cols; ++l) {
      double const x = static_cast<double>(X(r, l));
      T const* const row = &right(l, left);
      for (int c = 0; c < cols; ++c) sum[c] += x * static_cast<double>(row[c]);
    }
    for (int c = 0; c < cols; ++c) Y(r, left + c) = static_cast<T>(sum[c]);
  }
};

}  // namespace cholesky_qr

template <class T, class Exec>
Orthonormalizer<T, Exec>::Orthonormalizer(int rows, int cols, int passes) : rows_(rows), cols_(cols), passes_(passes) {
  require(cols > 0 && cols <= rows, "Orthonormalizer: needs 0 < cols <= rows");
  require(passes == 2 || passes == 4, "Orthonormalizer: needs 2 or 4 passes");
  auto const m = static_cast<std::size_t>(rows);
  auto const k = static_cast<std::size_t>(cols);
  other_ = Matrix<T, Exec>("kaon::orthonormalize::other", m, k);
  gram_ = Matrix<T, Exec>("kaon::orthonormalize::gram", k, k);
  right_ = Matrix<T, Exec>("kaon::orthonormalize::right", k, k);
  factor_ = Matrix<double, Exec>("kaon::orthonormalize::factor", k, k);
  inverse_ = Matrix<double, Exec>("kaon::orthonormalize::inverse", k, k);
  squares_ = Vector<double, Exec>("kaon::orthonormalize::squares", k);
  residual_ = Vector<double, Exec>("kaon::orthonormalize::residual", k);
  scale_ = Vector<double, Exec>("kaon::orthonormalize::scale", k);
  partials_ = Vector<double, Exec>("kaon::orthonormalize::partials", static_cast<std::size_t>(column_workspace(rows, cols)));
  good_ = Vector<int, Exec>("kaon::orthonormalize::good", k);
  more_ = Scalar<int, Exec>("kaon::orthonormalize::more");
  asked_ = Scalar<int, Exec>("kaon::orthonormalize::asked");
}

template <class T, class Exec>
void Orthonormalizer<T, Exec>::operator()(Exec const& exec, Out<Matrix<T, Exec>> const& Q) {
  require(static_cast<int>(Q.extent(0)) == rows_ && static_cast<int>(Q.extent(1)) == cols_,
          "Orthonormalizer: the matrix has another shape than the workspace");
  require(Q.data() != other_.data(), "Orthonormalizer: the matrix is the workspace");
  using Teams = Kokkos::TeamPolicy<Exec>;
  using Gram = cholesky_qr::GramOnDemand<T, Exec>;
  using Apply = cholesky_qr::ApplyOnDemand<T, Exec>;
  double const epsilon = std::numeric_limits<T>::epsilon();
  double const weak = 64 * epsilon;
  double const rank = 8 * epsilon * (8 + std::sqrt(static_cast<double>(cols_)));
  Matrix<T, Exec> const both[2] = {Q, other_};  // the passes go to and fro
  column_sum_squares<T>(exec, squares_, partials_, Q);
  Kokkos::parallel_for("kaon::orthonormalize_start", Kokkos::RangePolicy<Exec>(exec, 0, cols_),
                       cholesky_qr::Start<Exec>{residual_, scale_, good_, squares_});
  Kokkos::parallel_for("kaon::orthonormalize_scale", Teams(exec, rows_, fixed_team_size<Exec>),
                       cholesky_qr::Normalise<T, Exec>{Q, Q, scale_, cols_});
  for (int pass = 0; pass < passes_; ++pass) {
    bool const on_demand = pass >= 2;
    Matrix<T, Exec> const &from = both[pass % 2], &to = both[1 - pass % 2];
    // Passes on demand come in pairs, asked for by what the second left.
    if (pass == 2)
      Kokkos::parallel_for("kaon::orthonormalize_ask", Kokkos::RangePolicy<Exec>(exec, 0, 1),
                           cholesky_qr::CopyFlag<Exec>{asked_, more_});
    if (on_demand) {
      int const strips = (cols_ + Gram::wide - 1) / Gram::wide;
      auto const tasks = static_cast<std::int64_t>(strips) * ((cols_ + Gram::deep - 1) / Gram::deep);
      Kokkos::parallel_for("kaon::orthonormalize_gram",
                           Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, tasks),
                           Gram{gram_, from, asked_, rows_, cols_, strips});
    } else {
      gram<T>(exec, gram_, from);
    }
    Kokkos::parallel_for("kaon::orthonormalize_factor", Teams(exec, 1, fixed_team_size<Exec>),
                         cholesky_qr::Factor<T, Exec>{right_, residual_, scale_, good_, more_, asked_, factor_, inverse_, gram_,
                                                      cols_, weak, rank, on_demand, pass + 1 == passes_});
    if (on_demand) {
      int const strips = (cols_ + Apply::wide - 1) / Apply::wide;
      auto const tasks = static_cast<std::int64_t>(strips) * rows_;
      Kokkos::parallel_for("kaon::orthonormalize_apply",
                           Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, tasks),
                           Apply{to, from, right_, asked_, cols_, strips});
    } else {
      gemm<T>(exec, to, Op::none, from, Op::none, right_);
    }
  }
}

#define KAON_KERNEL(T, Exec) template class Orthonormalizer<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
