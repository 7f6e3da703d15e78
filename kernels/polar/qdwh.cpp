#include <kaon/polar/qdwh.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/linalg/symmetric.hpp>
#include <kaon/linalg/transpose.hpp>
#include <kaon/polar/triangular.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kaon {
namespace qdwh {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double largest_cholesky_weight = 100;

/// Best weights for singular values in [l, 1], and the lower end that they leave (eqs. (3.4)–(3.10) of the paper).
struct Weights {
  double a, b, c, next;

  explicit Weights(double l) {
    double const square = l * l;
    double const d = std::cbrt(4 * std::max(0.0, 1 - square) / (square * square));
    double const root = std::sqrt(1 + d);
    a = root + 0.5 * std::sqrt(std::max(0.0, 8 - 4 * d + 8 * (2 - square) / (square * root)));
    b = (a - 1) * (a - 1) / 4;
    c = a + b - 1;
    next = std::min(1.0, l * (a + b * square) / (1 + c * square));
  }
  bool by_qr() const { return c > largest_cholesky_weight; }
};

bool settled(double l) { return 1 - l <= 4 * epsilon; }

/// X ← G/√(squares()), zero where that is zero, NaN where it is not finite: zeros would hide that.
template <class Exec>
void normalise(Exec const& exec, Out<Matrix<double, Exec>> const& X, In<ConstScalar<double, Exec>> const& squares) {
  double* x = X.data();
  double const nan = std::numeric_limits<double>::quiet_NaN();
  Kokkos::parallel_for(
      "kaon::qdwh_normalise",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(X.size())),
      KOKKOS_LAMBDA(std::int64_t const i) {
        double const norm = math::sqrt(squares());
        x[i] = norm == 0.0 ? 0.0 : math::isfinite(norm) ? x[i] / norm : nan;
      });
}

/// Y ← [√c X; I].
template <class Exec>
void stack(Exec const& exec, Out<Matrix<double, Exec>> const& Y, In<ConstMatrix<double, Exec>> const& X, double root) {
  auto const above = static_cast<std::int64_t>(X.size());
  auto const n = static_cast<std::int64_t>(X.extent(1));
  double* y = Y.data();
  double const* x = X.data();
  Kokkos::parallel_for(
      "kaon::qdwh_stack", Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, above + n * n),
      KOKKOS_LAMBDA(std::int64_t const i) {
        if (i < above)
          y[i] = root * x[i];
        else
          y[i] = (i - above) / n == (i - above) % n ? 1.0 : 0.0;
      });
}

/// X ← p·X + q·Y.
template <class Exec>
void combine(Exec const& exec, Out<Matrix<double, Exec>> const& X, double p, double q, In<ConstMatrix<double, Exec>> const& Y) {
  double* x = X.data();
  double const* y = Y.data();
  Kokkos::parallel_for(
      "kaon::qdwh_combine",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(X.size())),
      KOKKOS_LAMBDA(std::int64_t const i) { x[i] = p * x[i] + q * y[i]; });
}

}  // namespace qdwh

template <class Exec>
Qdwh<Exec>::Qdwh(int rows, int cols, double lower) : rows_(rows), cols_(cols), lower_(lower) {
  require(rows > 0 && cols > 0, "Qdwh: needs at least one row and one column");
  require(lower >= 1e-16 && lower < 1, "Qdwh: needs 1e-16 <= lower < 1");
  auto const r = static_cast<std::size_t>(std::min(rows, cols));
  auto const l = static_cast<std::size_t>(std::max(rows, cols));
  x_ = Matrix<double, Exec>("kaon::qdwh::x", l, r);
  stacked_ = Matrix<double, Exec>("kaon::qdwh::stacked", l + r, r);
  gram_ = Matrix<double, Exec>("kaon::qdwh::gram", r, r);
  norm_ = Scalar<double, Exec>("kaon::qdwh::norm");
  partials_ = Vector<double, Exec>("kaon::qdwh::partials", static_cast<std::size_t>(norm_workspace(rows, cols)));
}

template <class Exec>
int Qdwh<Exec>::steps() const {
  int count = 0;
  for (double l = lower_; !qdwh::settled(l); l = qdwh::Weights(l).next) ++count;
  return count;
}

template <class Exec>
int Qdwh<Exec>::qr_steps() const {
  int count = 0;
  for (double l = lower_; !qdwh::settled(l) && qdwh::Weights(l).by_qr(); l = qdwh::Weights(l).next) ++count;
  return count;
}

template <class Exec>
void Qdwh<Exec>::operator()(Exec const& exec, Out<Matrix<double, Exec>> const& Z, In<ConstMatrix<double, Exec>> const& G) {
  require(static_cast<int>(G.extent(0)) == rows_ && static_cast<int>(G.extent(1)) == cols_ && Z.extent(0) == G.extent(0) &&
              Z.extent(1) == G.extent(1),
          "Qdwh: a matrix has another shape than the workspace");
  require(Z.span_is_contiguous() && G.span_is_contiguous(), "Qdwh: a matrix is not contiguous");
  require(Z.data() != G.data(), "Qdwh: the output is also the input");
  auto const l = x_.extent(0), r = x_.extent(1);
  sum_squares<double>(exec, norm_, partials_, G);
  if (rows_ >= cols_)
    copy<double>(exec, x_, G);
  else
    transpose<double>(exec, x_, G);
  qdwh::normalise(exec, x_, norm_);
  auto const upper = Kokkos::subview(stacked_, std::make_pair(std::size_t{0}, l), Kokkos::ALL);
  auto const lower = Kokkos::subview(stacked_, std::make_pair(l, l + r), Kokkos::ALL);
  for (double at = lower_; !qdwh::settled(at);) {
    qdwh::Weights const w(at);
    double const linear = w.b / w.c;
    if (w.by_qr()) {
      qdwh::stack(exec, stacked_, x_, std::sqrt(w.c));
      for (int pass = 0; pass < 3; ++pass) {
        syrk<double>(exec, gram_, Op::transpose, stacked_);
        // ‖[√c X; I]‖² ≤ c + 1: large enough for the factor to exist, small enough for the next pass.
        cholesky(exec, gram_, pass == 0 ? 4 * qdwh::epsilon * static_cast<double>(l + r) * (w.c + 1) : 0.0);
        solve_right(exec, stacked_, gram_);
      }
      gemm<double>(exec, x_, Op::none, upper, Op::transpose, lower, (w.a - linear) / std::sqrt(w.c), linear);
    } else {
      syrk<double>(exec, gram_, Op::transpose, x_, w.c);
      cholesky(exec, gram_, 1.0);
      copy<double>(exec, upper, x_);
      solve_right(exec, upper, gram_);
      solve_right_transposed(exec, upper, gram_);
      qdwh::combine(exec, x_, linear, w.a - linear, upper);
    }
    at = w.next;
  }
  if (rows_ >= cols_)
    copy<double>(exec, Z, x_);
  else
    transpose<double>(exec, Z, x_);
}

double qdwh_cost(int rows, int cols) {
  double const r = std::min(rows, cols);
  double const l = std::max(rows, cols);
  double const cholesky_step = l * r * r + r * r * r / 3 + 2 * l * r * r;
  double const qr_step = 3 * ((l + r) * r * r + r * r * r / 3 + (l + r) * r * r) + 2 * l * r * r;
  return 2 * qr_step + 4 * cholesky_step;
}

#define KAON_KERNEL(Exec) template class Qdwh<Exec>;
KAON_FOR_EACH_SPACE(KAON_KERNEL)

}  // namespace kaon
