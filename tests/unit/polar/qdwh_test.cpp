// Backward stability at any condition: orthogonal to rounding, and G = ZH with a symmetric positive H; the exact factor where the
// condition lets one speak of it.
#include <kaon/polar/qdwh.hpp>
#include <kaon/support/traps.hpp>

#include <kaon/linalg/svd_host.hpp>
#include <kaon/polar/triangular.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace kaon {
namespace qdwh_test {

using test::HostMatrix;

template <class B>
struct QdwhTest : ::testing::Test {};
// The routine is fp64: one parameter for each execution space.
#define KAON_BACKEND(Exec) , test::Backend<double, Exec>
using Spaces = decltype(test::detail::as_types(std::tuple<int KAON_FOR_EACH_SPACE(KAON_BACKEND)>{}));
TYPED_TEST_SUITE(QdwhTest, Spaces, test::BackendNames);

HostMatrix product(HostMatrix const& a, HostMatrix const& b, bool transpose_a = false) {
  int const m = transpose_a ? a.cols : a.rows, k = transpose_a ? a.rows : a.cols;
  HostMatrix c(m, b.cols);
  for (int i = 0; i < m; ++i)
    for (int l = 0; l < k; ++l)
      for (int j = 0; j < b.cols; ++j) c(i, j) += (transpose_a ? a(l, i) : a(i, l)) * b(l, j);
  return c;
}

double frobenius(HostMatrix const& a) {
  double s = 0;
  for (double const x : a.a) s += x * x;
  return std::sqrt(s);
}

HostMatrix transposed(HostMatrix const& a) {
  HostMatrix t(a.cols, a.rows);
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) t(j, i) = a(i, j);
  return t;
}

/// A matrix with the singular vectors of a random one and values that fall geometrically from 1 to 1/condition.
struct Made {
  HostMatrix g, polar;
};
Made made(int m, int n, double condition, std::uint64_t seed) {
  auto const f = svd_host<double>(m, n, test::random_matrix(m, n, seed).a);
  Made out{HostMatrix(m, n), HostMatrix(m, n)};
  auto const r = static_cast<std::size_t>(f.rank), cols = static_cast<std::size_t>(n);
  for (std::size_t i = 0; i < static_cast<std::size_t>(m); ++i)
    for (std::size_t l = 0; l < r; ++l)
      for (std::size_t j = 0; j < cols; ++j) {
        double const uv = f.u[i * r + l] * f.vt[l * cols + j];
        out.polar.a[i * cols + j] += uv;
        out.g.a[i * cols + j] += uv * (r == 1 ? 1.0 : std::pow(condition, -static_cast<double>(l) / static_cast<double>(r - 1)));
      }
  return out;
}

template <class Exec>
HostMatrix run(HostMatrix const& g, double lower = 1e-16) {
  auto const G = test::to_device<double, Exec>(g);
  Matrix<double, Exec> Z("kaon::test::Z", G.extent(0), G.extent(1));
  Kokkos::deep_copy(Z, std::numeric_limits<double>::quiet_NaN());
  Qdwh<Exec> qdwh(g.rows, g.cols, lower);
  Exec exec{};
  qdwh(exec, Z, G);
  exec.fence();
  return test::to_host(Z);
}

TYPED_TEST(QdwhTest, BackwardStableAtEveryCondition) {
  using Exec = typename TypeParam::Exec;
  for (auto const& [m, n] : {std::pair{1, 1}, {1, 7}, {7, 1}, {16, 16}, {53, 53}, {40, 97}, {97, 40}, {150, 110}})
    for (double const condition : {1.0, 1e2, 1e6, 1e10, 1e14}) {
      auto const given = made(m, n, condition, 81);
      auto const z = run<Exec>(given.g);
      // Stated for the tall form: H = ZᵀG.
      auto const tall = m >= n ? z : transposed(z), g = m >= n ? given.g : transposed(given.g);
      auto gram = product(tall, tall, true);
      for (int i = 0; i < gram.rows; ++i) gram(i, i) -= 1;
      auto h = product(tall, g, true);
      for (int i = 0; i < h.rows; ++i)
        for (int j = 0; j < i; ++j) h(i, j) = h(j, i) = (h(i, j) + h(j, i)) / 2;
      auto residual = product(tall, h);
      for (std::size_t i = 0; i < g.a.size(); ++i) residual.a[i] -= g.a[i];
      double const orthogonality = frobenius(gram), backward = frobenius(residual) / frobenius(g);
      double const tolerance = 2e-15 * std::sqrt(static_cast<double>(std::min(m, n)));
      if (m == 150)
        std::printf("150x110, condition %.0e: |ZZ'-I|_F %.1e, |G-ZH|_F/|G|_F %.1e (tolerance %.1e)\n", condition, orthogonality,
                    backward, tolerance);
      EXPECT_LE(orthogonality, tolerance) << m << "x" << n << " condition " << condition;
      EXPECT_LE(backward, tolerance) << m << "x" << n << " condition " << condition;
    }
}

TYPED_TEST(QdwhTest, IsThePolarFactorUpToTheConditionOfTheProblem) {
  using Exec = typename TypeParam::Exec;
  for (double const condition : {1.0, 1e3, 1e6, 1e9}) {
    auto const given = made(60, 45, condition, 82);
    auto z = run<Exec>(given.g);
    for (std::size_t i = 0; i < z.a.size(); ++i) z.a[i] -= given.polar.a[i];
    double const error = frobenius(z), tolerance = 1e-14 * condition + 1e-14;
    std::printf("condition %.0e: |Z - UV'|_F %.1e (tolerance %.1e)\n", condition, error, tolerance);
    EXPECT_LE(error, tolerance);
  }
}

TYPED_TEST(QdwhTest, ZeroNanAndScale) {
  kaon::test::Untrapped const untrapped;
  using Exec = typename TypeParam::Exec;
  for (double const v : run<Exec>(HostMatrix(9, 5)).a) ASSERT_EQ(v, 0);
  HostMatrix g = test::random_matrix(9, 14, 83);
  auto const z = run<Exec>(g);
  for (int const power : {-300, 300}) {
    HostMatrix scaled = g;
    for (double& v : scaled.a) v = std::ldexp(v, power);
    EXPECT_EQ(run<Exec>(scaled).a, z.a) << power;
  }
  EXPECT_EQ(run<Exec>(g).a, z.a);
  g(3, 3) = std::numeric_limits<double>::quiet_NaN();
  for (double const v : run<Exec>(g).a) ASSERT_TRUE(std::isnan(v));
}

TYPED_TEST(QdwhTest, SixStepsAtMostAndFewerForABetterBound) {
  using Exec = typename TypeParam::Exec;
  int before = 7;
  for (double const lower : {1e-16, 1e-12, 1e-8, 1e-3, 0.1, 0.9}) {
    Qdwh<Exec> const qdwh(4, 4, lower);
    std::printf("lower %.0e: %d steps, %d of them by QR\n", lower, qdwh.steps(), qdwh.qr_steps());
    EXPECT_LE(qdwh.steps(), std::min(6, before));
    EXPECT_LE(qdwh.qr_steps(), 3);
    before = qdwh.steps();
  }
  auto const given = made(30, 30, 100, 84);
  auto z = run<Exec>(given.g, 1e-4);
  for (std::size_t i = 0; i < z.a.size(); ++i) EXPECT_NEAR(z.a[i], given.polar.a[i], 1e-12);
}

TYPED_TEST(QdwhTest, RefusesOtherShapesAliasesAndBounds) {
  kaon::test::Untrapped const untrapped;
  using Exec = typename TypeParam::Exec;
  Qdwh<Exec> qdwh(4, 6);
  Matrix<double, Exec> const A("kaon::test::A", 4, 6), B("kaon::test::B", 6, 4);
  EXPECT_THROW(qdwh(Exec{}, A, B), std::invalid_argument);
  EXPECT_THROW(qdwh(Exec{}, A, A), std::invalid_argument);
  for (double const lower : {0.0, 1.0, -1.0, std::nan("")}) EXPECT_THROW(Qdwh<Exec>(4, 6, lower), std::invalid_argument);
}

TYPED_TEST(QdwhTest, CholeskyAndSolvesUndoEachOther) {
  using Exec = typename TypeParam::Exec;
  for (int const n : {1, 47, 48, 49, 131}) {
    auto const base = test::random_matrix(2 * n, n, 85);
    auto a = product(base, base, true);
    double const shift = 0.5;
    auto const A = test::to_device<double, Exec>(a);
    auto const x = test::random_matrix(13, n, 86);
    auto const X = test::to_device<double, Exec>(x);
    Exec exec{};
    cholesky(exec, A, shift);
    solve_right(exec, X, A);
    solve_right_transposed(exec, X, A);
    exec.fence();
    auto r = test::to_host(A);
    for (int i = 0; i < n; ++i) {
      a(i, i) += shift;
      for (int j = 0; j < i; ++j) r(i, j) = 0;
    }
    auto const rr = product(r, r, true), back = product(test::to_host(X), a);
    double worst = 0, solved = 0;
    for (std::size_t i = 0; i < rr.a.size(); ++i) worst = std::max(worst, std::fabs(rr.a[i] - a.a[i]));
    for (std::size_t i = 0; i < x.a.size(); ++i) solved = std::max(solved, std::fabs(back.a[i] - x.a[i]));
    EXPECT_LE(worst, 1e-14 * n + 1e-14) << n;
    EXPECT_LE(solved, 1e-13 * n) << n;
  }
  Matrix<double, Exec> const A("kaon::test::A", 4, 4), X("kaon::test::X", 3, 5);
  EXPECT_THROW(solve_right(Exec{}, X, A), std::invalid_argument);
  EXPECT_THROW(cholesky(Exec{}, X, 0.0), std::invalid_argument);
  EXPECT_THROW(solve_right(Exec{}, A, A), std::invalid_argument);
}

}  // namespace qdwh_test
}  // namespace kaon
