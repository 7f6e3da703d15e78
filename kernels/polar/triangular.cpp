#include <kaon/polar/triangular.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/gemm.hpp>

#include <algorithm>
#include <utility>

namespace kaon {
namespace triangular {

using Range = std::pair<int, int>;

/// One team factors a diagonal block; columns are independent within a row.
template <class Exec>
struct FactorBlock {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Matrix<double, Exec> A;
  int first, count;
  double shift;

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    int const end = first + count;
    for (int j = first; j < end; ++j) {
      double const d = A(j, j) + shift;
      double const pivot = d > 1e-300 || d != d ? math::sqrt(d) : 1.0;
      team.team_barrier();
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, end - j),
                           [&](int const c) { A(j, j + c) = c == 0 ? pivot : A(j, j + c) / pivot; });
      team.team_barrier();
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, end - j - 1), [&](int const t) {
        int const i = j + 1 + t;
        double const r = A(j, i);
        for (int c = i; c < end; ++c) A(i, c) -= r * A(j, c);
      });
      team.team_barrier();
    }
  }
};

/// A_block,rest ← R_blockᵀ⁻¹·A_block,rest: a substitution down each column; neighbouring columns go to one task on a host.
template <class Exec>
struct SolvePanel {
  Matrix<double, Exec> A;
  int first, count, n;
  static constexpr int width = runs_on_host<Exec> ? 64 : 1;

  KOKKOS_FUNCTION void operator()(int const strip) const {
    int const left = first + count + strip * width;
    int const columns = n - left < width ? n - left : width;
    for (int j = first; j < first + count; ++j) {
      double* row = &A(j, left);
      double const pivot = A(j, j);
      for (int c = 0; c < columns; ++c) row[c] /= pivot;
      for (int i = j + 1; i < first + count; ++i) {
        double const r = A(j, i);
        double* below = &A(i, left);
        for (int c = 0; c < columns; ++c) below[c] -= r * row[c];
      }
    }
  }
};

/// Row i of X's block ← row·R_block⁻¹ (or R_block⁻ᵀ).
template <class Exec>
struct SolveRows {
  Matrix<double, Exec> X;
  ConstMatrix<double, Exec> R;
  int first, count;
  bool transposed;

  KOKKOS_FUNCTION void operator()(int const i) const {
    double x[triangular_block];
    for (int j = 0; j < count; ++j) x[j] = X(i, first + j);
    if (!transposed) {
      for (int j = 0; j < count; ++j) {
        double const* r = &R(first + j, first);
        x[j] /= r[j];
        double const v = x[j];
        for (int c = j + 1; c < count; ++c) x[c] -= v * r[c];
      }
    } else {
      for (int j = count - 1; j >= 0; --j) {
        double const* r = &R(first + j, first);
        double sum = x[j];
        for (int c = j + 1; c < count; ++c) sum -= x[c] * r[c];
        x[j] = sum / r[j];
      }
    }
    for (int j = 0; j < count; ++j) X(i, first + j) = x[j];
  }
};

template <class Exec>
void check(Matrix<double, Exec> const& X, ConstMatrix<double, Exec> const& R) {
  require(R.extent(0) == R.extent(1) && X.extent(1) == R.extent(0), "solve_right: shapes do not fit");
  require(X.size() == 0 || X.data() != R.data(), "solve_right: the output is also the input");
}

}  // namespace triangular

template <class Exec>
void cholesky(Exec const& exec, Out<Matrix<double, Exec>> const& A, double shift) {
  using triangular::Range;
  require(A.extent(0) == A.extent(1), "cholesky: the matrix is not square");
  int const n = static_cast<int>(A.extent(0));
  for (int first = 0; first < n; first += triangular_block) {
    int const count = std::min(triangular_block, n - first);
    triangular::FactorBlock<Exec> const factor{A, first, count, shift};
    Kokkos::parallel_for("kaon::cholesky_block", Kokkos::TeamPolicy<Exec>(exec, 1, fixed_team_size<Exec>), factor);
    int const rest = n - first - count;
    if (rest == 0) break;
    triangular::SolvePanel<Exec> const panel{A, first, count, n};
    Kokkos::parallel_for("kaon::cholesky_panel", Kokkos::RangePolicy<Exec>(exec, 0, (rest + panel.width - 1) / panel.width),
                         panel);
    auto const row = Kokkos::subview(A, Range(first, first + count), Range(first + count, n));
    auto const tail = Kokkos::subview(A, Range(first + count, n), Range(first + count, n));
    gemm<double>(exec, tail, Op::transpose, row, Op::none, row, -1.0, 1.0);
  }
}

template <class Exec>
void solve_right(Exec const& exec, Out<Matrix<double, Exec>> const& X, In<ConstMatrix<double, Exec>> const& R) {
  using triangular::Range;
  triangular::check<Exec>(X, R);
  int const m = static_cast<int>(X.extent(0)), n = static_cast<int>(X.extent(1));
  for (int first = 0; first < n; first += triangular_block) {
    int const end = std::min(first + triangular_block, n);
    auto const block = Kokkos::subview(X, Kokkos::ALL, Range(first, end));
    if (first > 0)
      gemm<double>(exec, block, Op::none, Kokkos::subview(X, Kokkos::ALL, Range(0, first)), Op::none,
                   Kokkos::subview(R, Range(0, first), Range(first, end)), -1.0, 1.0);
    triangular::SolveRows<Exec> const rows{X, R, first, end - first, false};
    Kokkos::parallel_for("kaon::solve_right", Kokkos::RangePolicy<Exec>(exec, 0, m), rows);
  }
}

template <class Exec>
void solve_right_transposed(Exec const& exec, Out<Matrix<double, Exec>> const& X, In<ConstMatrix<double, Exec>> const& R) {
  using triangular::Range;
  triangular::check<Exec>(X, R);
  int const m = static_cast<int>(X.extent(0)), n = static_cast<int>(X.extent(1));
  for (int first = (n - 1) / triangular_block * triangular_block; first >= 0; first -= triangular_block) {
    int const end = std::min(first + triangular_block, n);
    auto const block = Kokkos::subview(X, Kokkos::ALL, Range(first, end));
    if (end < n)
      gemm<double>(exec, block, Op::none, Kokkos::subview(X, Kokkos::ALL, Range(end, n)), Op::transpose,
                   Kokkos::subview(R, Range(first, end), Range(end, n)), -1.0, 1.0);
    triangular::SolveRows<Exec> const rows{X, R, first, end - first, true};
    Kokkos::parallel_for("kaon::solve_right_transposed", Kokkos::RangePolicy<Exec>(exec, 0, m), rows);
  }
}

#define KAON_KERNEL(Exec)                                                                                               \
  template void cholesky<Exec>(Exec const&, Out<Matrix<double, Exec>> const&, double);                                  \
  template void solve_right<Exec>(Exec const&, Out<Matrix<double, Exec>> const&, In<ConstMatrix<double, Exec>> const&); \
  template void solve_right_transposed<Exec>(Exec const&, Out<Matrix<double, Exec>> const&, In<ConstMatrix<double, Exec>> const&);
KAON_FOR_EACH_SPACE(KAON_KERNEL)

}  // namespace kaon
