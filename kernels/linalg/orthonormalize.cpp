#include <kaon/linalg/orthonormalize.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/norms.hpp>

#include <cmath>
#include <limits>
#include <utility>

namespace kaon {
namespace cholesky_qr {

/// Y's columns are X's, divided by their norms; residual(j) is 1, or 0 for a zero column.
template <class T, class Exec>
void normalise_columns(Exec const& exec, Out<Matrix<T, Exec>> const& Y, Out<Vector<double, Exec>> const& residual,
                       In<ConstMatrix<T, Exec>> const& X, In<ConstVector<double, Exec>> const& squares) {
  int const k = static_cast<int>(X.extent(1));
  Kokkos::parallel_for(
      "kaon::orthonormalize_start", Kokkos::RangePolicy<Exec>(exec, 0, k),
      KOKKOS_LAMBDA(int const j) { residual(j) = squares(j) > 1e-300 ? 1.0 : 0.0; });
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  Kokkos::parallel_for(
      "kaon::orthonormalize_scale", Policy(exec, static_cast<int>(X.extent(0)), fixed_team_size<Exec>),
      KOKKOS_LAMBDA(Member const& team) {
        int const i = team.league_rank();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, k), [&](int const j) {
          Y(i, j) = squares(j) > 1e-300 ? static_cast<T>(static_cast<double>(X(i, j)) / math::sqrt(squares(j))) : T(0);
        });
      });
}

/// One team factors S·gram·S = RᵀR (S = 1/√diag) and writes right = S·R⁻¹. R's rows are computed one after the other
/// (left-looking), then the inverse's from the last to the first; columns are independent within a row.
///
/// A pivot below `weak` is raised to it: the column keeps its residual, scaled up, for the next pass to resolve, and is not
/// subtracted from later columns (dividing their rounding errors by a pivot of the same size would grow without bound).
/// residual(j), the norm of what earlier columns do not explain, falls by each pivot; below `rank` (or weak in the last pass) the
/// column is dropped: its column of `right` is zero, and so is residual(j).
template <class T, class Exec>
struct Factor {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Matrix<T, Exec> right;
  Vector<double, Exec> residual;
  Matrix<double, Exec> R, inverse;
  ConstMatrix<T, Exec> gram;
  int k;
  double weak, rank;
  bool last;

  // Columns that one thread handles together: vector lanes on a host, coalesced threads on a device.
  static constexpr int width = runs_on_host<Exec> ? 64 : 1;

  KOKKOS_FUNCTION double norm(int j) const {
    double const g = static_cast<double>(gram(j, j));
    return residual(j) > 0 && g > 0 ? math::sqrt(g) : 0.0;
  }

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    for (int j = 0; j < k; ++j) factor_row(team, j);
    for (int j = k - 1; j >= 0; --j) invert_row(team, j);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, k), [&](int const i) {
      double const n = norm(i);
      for (int c = 0; c < k; ++c) right(i, c) = n > 0 ? static_cast<T>(inverse(i, c) / n) : T(0);
    });
  }

  KOKKOS_FUNCTION void factor_row(Member const& team, int j) const {
    double const nj = norm(j);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, (k - j + width - 1) / width), [&](int const strip) {
      int const left = j + strip * width;
      int const count = k - left < width ? k - left : width;
      double sum[width] = {};
      for (int i = 0; i < j; ++i) {
        double const r = R(i, j);
        double const* row = &R(i, left);
        for (int c = 0; c < count; ++c) sum[c] += r * row[c];
      }
      for (int c = 0; c < count; ++c) {
        double const nc = norm(left + c);
        double const g = nj > 0 && nc > 0 ? static_cast<double>(gram(j, left + c)) / nj / nc : 0.0;
        R(j, left + c) = g - sum[c];
      }
    });
    team.team_barrier();
    double const pivot = R(j, j);
    bool const is_weak = !(pivot >= weak);
    double const diagonal = math::sqrt(is_weak ? weak : pivot);
    // In the first pass the columns have norm 1; later a column's norm is what its residual was scaled up to too little.
    double const left_over = residual(j) * nj * diagonal;
    bool const drop = nj == 0 || left_over < rank || (last && is_weak);
    team.team_barrier();
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, k - j), [&](int const c) {
      R(j, j + c) = drop || (is_weak && c > 0) ? 0.0 : (c == 0 ? diagonal : R(j, j + c) / diagonal);
    });
    Kokkos::single(Kokkos::PerTeam(team), [&]() { residual(j) = drop ? 0.0 : left_over; });
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

}  // namespace cholesky_qr

template <class T, class Exec>
Orthonormalizer<T, Exec>::Orthonormalizer(int rows, int cols, int passes) : rows_(rows), cols_(cols), passes_(passes) {
  require(cols > 0 && cols <= rows && passes >= 1, "Orthonormalizer: needs 0 < cols <= rows and passes >= 1");
  auto const m = static_cast<std::size_t>(rows);
  auto const k = static_cast<std::size_t>(cols);
  other_ = Matrix<T, Exec>("kaon::orthonormalize::other", m, k);
  gram_ = Matrix<T, Exec>("kaon::orthonormalize::gram", k, k);
  right_ = Matrix<T, Exec>("kaon::orthonormalize::right", k, k);
  factor_ = Matrix<double, Exec>("kaon::orthonormalize::factor", k, k);
  inverse_ = Matrix<double, Exec>("kaon::orthonormalize::inverse", k, k);
  squares_ = Vector<double, Exec>("kaon::orthonormalize::squares", k);
  residual_ = Vector<double, Exec>("kaon::orthonormalize::residual", k);
  partials_ = Vector<double, Exec>("kaon::orthonormalize::partials", static_cast<std::size_t>(column_workspace(rows, cols)));
}

template <class T, class Exec>
void Orthonormalizer<T, Exec>::operator()(Exec const& exec, Out<Matrix<T, Exec>> const& Q) {
  require(static_cast<int>(Q.extent(0)) == rows_ && static_cast<int>(Q.extent(1)) == cols_,
          "Orthonormalizer: the matrix has another shape than the workspace");
  require(Q.data() != other_.data(), "Orthonormalizer: the matrix is the workspace");
  double const epsilon = std::numeric_limits<T>::epsilon();
  double const weak = 64 * epsilon;
  double const rank = 8 * epsilon * (8 + std::sqrt(static_cast<double>(cols_)));
  // The passes go to and fro between Q and the second buffer, and end in Q.
  Matrix<T, Exec> from = passes_ % 2 == 0 ? Matrix<T, Exec>(Q) : other_;
  Matrix<T, Exec> to = passes_ % 2 == 0 ? other_ : Matrix<T, Exec>(Q);
  column_sum_squares<T>(exec, squares_, partials_, Q);
  cholesky_qr::normalise_columns<T>(exec, from, residual_, Q, squares_);
  for (int pass = 0; pass < passes_; ++pass) {
    gram<T>(exec, gram_, from);
    cholesky_qr::Factor<T, Exec> const factor{right_, residual_, factor_, inverse_,           gram_,
                                              cols_,  weak,      rank,    pass + 1 == passes_};
    Kokkos::parallel_for("kaon::orthonormalize_factor", Kokkos::TeamPolicy<Exec>(exec, 1, fixed_team_size<Exec>), factor);
    gemm<T>(exec, to, Op::none, from, Op::none, right_);
    std::swap(from, to);
  }
}

#define KAON_KERNEL(T, Exec) template class Orthonormalizer<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
