// Orthonormal bases: QᵀQ is the identity but for exactly zero columns, and the span is kept.
#include <kaon/linalg/orthonormalize.hpp>

#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace kaon {
namespace orthonormalize_test {

using test::HostMatrix;

HostMatrix product(HostMatrix const& a, HostMatrix const& b) {
  HostMatrix c(a.rows, b.cols);
  for (int i = 0; i < a.rows; ++i)
    for (int l = 0; l < a.cols; ++l)
      for (int j = 0; j < b.cols; ++j) c(i, j) += a(i, l) * b(l, j);
  return c;
}

/// fp64 modified Gram–Schmidt, twice: an orthonormal matrix for the tests' own use.
HostMatrix orthonormal(int m, int k, std::uint64_t seed) {
  HostMatrix q = test::random_matrix(m, k, seed);
  for (int j = 0; j < k; ++j) {
    for (int sweep = 0; sweep < 2; ++sweep)
      for (int l = 0; l < j; ++l) {
        double s = 0;
        for (int i = 0; i < m; ++i) s += q(i, l) * q(i, j);
        for (int i = 0; i < m; ++i) q(i, j) -= s * q(i, l);
      }
    double n = 0;
    for (int i = 0; i < m; ++i) n += q(i, j) * q(i, j);
    for (int i = 0; i < m; ++i) q(i, j) /= std::sqrt(n);
  }
  return q;
}

template <class B>
struct Orthonormalize : ::testing::Test {
  using Real = typename B::T;
  using Space = typename B::Exec;
  static constexpr double eps = std::numeric_limits<Real>::epsilon();
  Space exec{};
  int zeros = 0;
  HostMatrix input;

  HostMatrix run(HostMatrix const& a, int passes = 4) {
    auto const Q = test::to_device<Real, Space>(a);
    input = test::to_host(Q);
    Orthonormalizer<Real, Space> basis(a.rows, a.cols, passes);
    basis(exec, Q);
    exec.fence();
    return test::to_host(Q);
  }

  /// Columns are unit or exactly zero (counted in `zeros`) and orthogonal to a few eps·k.
  void expect_orthonormal(HostMatrix const& q, char const* what) {
    double worst = 0;
    zeros = 0;
    for (int i = 0; i < q.cols; ++i)
      for (int j = i; j < q.cols; ++j) {
        double s = 0;
        for (int r = 0; r < q.rows; ++r) s += q(r, i) * q(r, j);
        if (i == j && s == 0) {
          ++zeros;
          continue;
        }
        ASSERT_TRUE(std::isfinite(s)) << what;
        worst = std::max(worst, std::fabs(s - (i == j ? 1 : 0)));
      }
    double const tolerance = 4 * eps * (4 + q.cols);
    std::printf("%-24s %4dx%-3d |QtQ-I| %.2e (tolerance %.1e), zero columns %d\n", what, q.rows, q.cols, worst, tolerance, zeros);
    EXPECT_LE(worst, tolerance) << what;
  }

  /// Every column of the input is within `tolerance` of its norm of the span of q.
  void expect_span(HostMatrix const& q, double tolerance, char const* what) {
    double worst = 0;
    for (int j = 0; j < input.cols; ++j) {
      std::vector<double> r(static_cast<std::size_t>(input.rows));
      double before = 0, after = 0;
      for (int i = 0; i < input.rows; ++i) before += input(i, j) * input(i, j);
      for (int i = 0; i < input.rows; ++i) r[static_cast<std::size_t>(i)] = input(i, j);
      for (int l = 0; l < q.cols; ++l) {
        double s = 0;
        for (int i = 0; i < input.rows; ++i) s += q(i, l) * input(i, j);
        for (int i = 0; i < input.rows; ++i) r[static_cast<std::size_t>(i)] -= s * q(i, l);
      }
      for (double const x : r) after += x * x;
      if (before > 0) worst = std::max(worst, std::sqrt(after / before));
    }
    std::printf("%-24s span residual %.2e (tolerance %.1e)\n", what, worst, tolerance);
    EXPECT_LE(worst, tolerance) << what;
  }
};
TYPED_TEST_SUITE(Orthonormalize, test::Backends, test::BackendNames);

TYPED_TEST(Orthonormalize, RandomMatricesOfManyShapes) {
  for (auto const& [m, k] : {std::pair{1, 1}, {9, 1}, {5, 5}, {64, 64}, {200, 63}, {200, 65}, {1000, 130}}) {
    auto const q = this->run(test::random_matrix(m, k, 31));
    this->expect_orthonormal(q, "random");
    EXPECT_EQ(this->zeros, 0);
    this->expect_span(q, 32 * this->eps * (8 + std::sqrt(k)), "random");
  }
}

TYPED_TEST(Orthonormalize, TwoPassesAreEnoughForRandomColumns) {
  this->expect_orthonormal(this->run(test::random_matrix(400, 40, 32), 2), "random, 2 passes");
  EXPECT_EQ(this->zeros, 0);
  // The two on demand are not asked for.
  EXPECT_EQ(this->run(test::random_matrix(400, 40, 32), 4).a, this->run(test::random_matrix(400, 40, 32), 2).a);
}

TYPED_TEST(Orthonormalize, WeakColumnsGetTheirPassesOnDemand) {
  // Column j leaves a residual of 4ε^¾ … √ε after those before it: too little for one pass, enough to keep; the second pass is
  // their first.
  int const m = 257, k = 70;
  HostMatrix const u = orthonormal(m, k, 40);
  for (double const left : {std::sqrt(this->eps), 4 * std::pow(this->eps, 0.75)}) {
    HostMatrix a = u;
    for (int j = 1; j < k; j += 3)
      for (int i = 0; i < m; ++i) a(i, j) = u(i, j - 1) + left * u(i, j);
    auto const two = this->run(a, 2);
    this->expect_orthonormal(two, "weak, 2 passes");
    EXPECT_EQ(this->zeros, 0);
    auto const four = this->run(a);
    this->expect_orthonormal(four, "weak, on demand");
    EXPECT_EQ(this->zeros, 0);
    this->expect_span(four, 32 * this->eps * (8 + std::sqrt(k)), "weak, on demand");
    EXPECT_NE(two.a, four.a) << "the passes on demand did not run";
  }
}

TYPED_TEST(Orthonormalize, HugeAndTinyColumnsStayFinite) {
  HostMatrix a = test::random_matrix(65, 9, 41);
  for (int i = 0; i < 65; ++i) {
    a(i, 2) *= 1e36;
    a(i, 5) *= 1e-36;
    a(i, 7) = 1e36 * a(i, 0);
  }
  auto const q = this->run(a);
  this->expect_orthonormal(q, "huge and tiny");
  EXPECT_EQ(this->zeros, 1);
}

TYPED_TEST(Orthonormalize, IllConditionedMatricesKeepTheirSpan) {
  // A = U·diag(1 … floor)·Vᵀ: the condition reaches 0.01/ε, far above what one CholeskyQR survives (1/√ε).
  for (double const floor : {1e-2, 1e-4, 100 * this->eps}) {
    int const m = 300, k = 40;
    HostMatrix u = orthonormal(m, k, 33), v = orthonormal(k, k, 34);
    for (int j = 0; j < k; ++j)
      for (int i = 0; i < m; ++i) u(i, j) *= std::pow(floor, j / (k - 1.0));
    auto const q = this->run(product(u, v));
    this->expect_orthonormal(q, "ill-conditioned");
    this->expect_span(q, 32 * this->eps * (8 + std::sqrt(k)), "ill-conditioned");
  }
}

TYPED_TEST(Orthonormalize, ScalesOfColumnsDoNotMatter) {
  HostMatrix a = test::random_matrix(120, 24, 35);
  for (int j = 0; j < 24; ++j)
    for (int i = 0; i < 120; ++i) a(i, j) *= std::pow(10.0, j - 20);
  auto const q = this->run(a);
  this->expect_orthonormal(q, "graded columns");
  EXPECT_EQ(this->zeros, 0);
}

TYPED_TEST(Orthonormalize, ZeroAndDuplicateColumnsBecomeExactlyZero) {
  HostMatrix a = test::random_matrix(150, 20, 36);
  for (int i = 0; i < 150; ++i) {
    a(i, 0) = 0;
    a(i, 7) = a(i, 3);
    a(i, 8) = -2 * a(i, 3);
    a(i, 15) = a(i, 3) + 0.5 * a(i, 14);
    a(i, 19) = 0;
  }
  auto const q = this->run(a);
  this->expect_orthonormal(q, "zero and duplicate");
  EXPECT_EQ(this->zeros, 5);
  for (int j : {0, 7, 8, 15, 19})
    for (int i = 0; i < 150; ++i) ASSERT_EQ(q(i, j), 0) << "column " << j;
  this->expect_span(q, 100 * this->eps, "zero and duplicate");
}

TYPED_TEST(Orthonormalize, LowRankKeepsExactlyTheRank) {
  auto const q = this->run(product(test::random_matrix(200, 6, 37), test::random_matrix(6, 30, 38)));
  this->expect_orthonormal(q, "rank 6 of 30");
  EXPECT_EQ(this->zeros, 24);
  this->expect_span(q, 1000 * this->eps, "rank 6 of 30");
}

TYPED_TEST(Orthonormalize, ZeroMatrixStaysZero) {
  auto const q = this->run(HostMatrix(40, 7));
  for (double const x : q.a) ASSERT_EQ(x, 0);
}

TYPED_TEST(Orthonormalize, IsItsOwnFixedPointAndRepeatsToTheLastBit) {
  HostMatrix const a = test::random_matrix(90, 33, 39);
  auto const q = this->run(a);
  EXPECT_EQ(this->run(a).a, q.a);
  auto const again = this->run(q);
  double worst = 0;
  for (std::size_t i = 0; i < q.a.size(); ++i) worst = std::max(worst, std::fabs(again.a[i] - q.a[i]));
  EXPECT_LE(worst, 8 * this->eps);
}

TYPED_TEST(Orthonormalize, RefusesWideMatricesAndOtherShapes) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  EXPECT_THROW((Orthonormalizer<T, Exec>(3, 4)), std::invalid_argument);
  EXPECT_THROW((Orthonormalizer<T, Exec>(3, 0)), std::invalid_argument);
  EXPECT_THROW((Orthonormalizer<T, Exec>(5, 3, 3)), std::invalid_argument);
  Orthonormalizer<T, Exec> basis(5, 3);
  EXPECT_THROW(basis(this->exec, (Matrix<T, Exec>("kaon::test::Q", 5, 2))), std::invalid_argument);
}

}  // namespace orthonormalize_test
}  // namespace kaon
