#include <kaon/polar/polar.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/linalg/svd_host.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace kaon {
namespace polar_kernels {

/// X ← G/√(squares()), in double so that no norm that T can hold over- or underflows; zero where the norm is zero.
template <class T, class Exec>
void normalise(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstMatrix<T, Exec>> const& G,
               In<ConstScalar<double, Exec>> const& squares) {
  T* x = X.data();
  T const* g = G.data();
  Kokkos::parallel_for(
      "kaon::polar_normalise",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(X.size())),
      KOKKOS_LAMBDA(std::int64_t const i) {
        double const norm = math::sqrt(squares());
        x[i] = norm == 0.0 ? T(0) : static_cast<T>(static_cast<double>(g[i]) / norm);
      });
}

/// B ← a·I + b·A for square matrices.
template <class T, class Exec>
void shift(Exec const& exec, Out<Matrix<T, Exec>> const& B, T a, T b, In<ConstMatrix<T, Exec>> const& A) {
  int const r = static_cast<int>(A.extent(0));
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  Kokkos::parallel_for(
      "kaon::polar_shift", Policy(exec, r, fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        int const i = team.league_rank();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, r), [&](int const j) { B(i, j) = b * A(i, j) + (i == j ? a : T(0)); });
      });
}

template <class T, class Exec>
void exact(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) {
  auto const f = svd_host<T>(exec, G);
  auto const m = static_cast<std::size_t>(f.rows);
  auto const n = static_cast<std::size_t>(f.cols);
  auto const r = static_cast<std::size_t>(f.rank);
  T const floor = std::numeric_limits<T>::epsilon() * static_cast<T>(std::max(f.rows, f.cols)) * f.s[0];
  std::vector<T> z(m * n, T(0));
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t l = 0; l < r && f.s[l] > floor; ++l) {
      T const u = f.u[i * r + l];
      for (std::size_t j = 0; j < n; ++j) z[i * n + j] += u * f.vt[l * n + j];
    }
  using Host = Kokkos::View<T const*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Kokkos::deep_copy(exec, Vector<T, Exec>(Z.data(), Z.size()), Host(z.data(), z.size()));
  exec.fence();
}

}  // namespace polar_kernels

template <class T, class Exec>
Polar<T, Exec>::Polar(PolarSettings const& settings, int rows, int cols)
    : rows_(rows), cols_(cols), exact_(settings.exact), table_(polar_coefficients(settings.set, settings.steps)) {
  require(rows > 0 && cols > 0, "Polar: needs at least one row and one column");
  if (exact_) return;
  auto const m = static_cast<std::size_t>(rows);
  auto const n = static_cast<std::size_t>(cols);
  auto const r = std::min(m, n);
  ping_ = Matrix<T, Exec>("kaon::polar::ping", m, n);
  if (table_.size() > 1) pong_ = Matrix<T, Exec>("kaon::polar::pong", m, n);
  square_ = Matrix<T, Exec>("kaon::polar::square", r, r);
  factor_ = Matrix<T, Exec>("kaon::polar::factor", r, r);
  norm_ = Scalar<double, Exec>("kaon::polar::norm");
  partials_ = Vector<double, Exec>("kaon::polar::partials", static_cast<std::size_t>(norm_workspace(rows, cols)));
}

template <class T, class Exec>
void Polar<T, Exec>::operator()(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) {
  require(static_cast<int>(G.extent(0)) == rows_ && static_cast<int>(G.extent(1)) == cols_ && Z.extent(0) == G.extent(0) &&
              Z.extent(1) == G.extent(1),
          "Polar: a matrix has another shape than the workspace");
  require(Z.span_is_contiguous() && G.span_is_contiguous(), "Polar: a matrix is not contiguous");
  require(Z.data() != G.data(), "Polar: the output is also the input");
  if (exact_) return polar_kernels::exact<T>(exec, Z, G);
  bool const wide = rows_ <= cols_;
  sum_squares<T>(exec, norm_, partials_, G);
  Matrix<T, Exec> X = ping_;
  Matrix<T, Exec> next = pong_;
  polar_kernels::normalise<T>(exec, X, G, norm_);
  for (std::size_t step = 0; step < table_.size(); ++step) {
    Triple const& p = table_[step];
    if (wide)
      symmetric_product<T>(exec, square_, X);
    else
      gram<T>(exec, square_, X);
    polar_kernels::shift<T>(exec, factor_, static_cast<T>(p.a), static_cast<T>(p.b), square_);
    gemm<T>(exec, factor_, Op::none, square_, Op::none, square_, static_cast<T>(p.c), T(1));
    Matrix<T, Exec> const Y = step + 1 == table_.size() ? Matrix<T, Exec>(Z) : next;
    if (wide)
      gemm<T>(exec, Y, Op::none, factor_, Op::none, X);
    else
      gemm<T>(exec, Y, Op::none, X, Op::none, factor_);
    std::swap(X, next);
  }
}

double polar_cost(PolarSettings const& settings, int rows, int cols) {
  double const r = std::min(rows, cols);
  double const l = std::max(rows, cols);
  return settings.exact ? 20 * r * r * l : settings.steps * (4 * r * r * l + 2 * r * r * r);
}

#define KAON_KERNEL(T, Exec) template class Polar<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
