// Both routes of the symmetric eigenproblem: residual, orthogonality, order; the two against each other.
#include <kaon/linalg/eigen.hpp>

#include <kaon/core/error.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace kaon {
namespace eigen_test {

using test::HostMatrix;

template <class B>
struct EigenTest : ::testing::Test {
  using Space = typename B::Exec;
  HostMatrix vectors;
  std::vector<double> values;

  void run(HostMatrix const& a, EigenRoute route) {
    auto const A = test::to_device<double, Space>(a);
    Vector<double, Space> w("kaon::test::values", A.extent(0));
    SymmetricEigen<Space> solve(a.rows, route);
    Space exec{};
    solve(exec, w, A);
    exec.fence();
    vectors = test::to_host(A);
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, w);
    values.assign(host.data(), host.data() + host.size());
  }
};
#define KAON_BACKEND(Exec) , test::Backend<double, Exec>
using Spaces = decltype(test::detail::as_types(std::tuple<int KAON_FOR_EACH_SPACE(KAON_BACKEND)>{}));
TYPED_TEST_SUITE(EigenTest, Spaces, test::BackendNames);

HostMatrix symmetric(int n, std::uint64_t seed) {
  HostMatrix a = test::random_matrix(n, n, seed);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < i; ++j) a(i, j) = a(j, i);
  return a;
}

double frobenius(HostMatrix const& a) {
  double s = 0;
  for (double const x : a.a) s += x * x;
  return std::sqrt(s);
}

/// ‖A − Vᵀ diag(λ) V‖_F/‖A‖_F and ‖VVᵀ − I‖_F.
std::pair<double, double> errors(HostMatrix const& a, HostMatrix const& v, std::vector<double> const& lambda) {
  HostMatrix r = a, g(a.rows, a.rows);
  for (int k = 0; k < a.rows; ++k)
    for (int i = 0; i < a.rows; ++i)
      for (int j = 0; j < a.rows; ++j) {
        r(i, j) -= v(k, i) * lambda[static_cast<std::size_t>(k)] * v(k, j);
        g(i, j) += v(i, k) * v(j, k);
      }
  for (int i = 0; i < a.rows; ++i) g(i, i) -= 1;
  return {frobenius(r) / std::max(frobenius(a), 1e-300), frobenius(g)};
}

constexpr EigenRoute routes[] = {EigenRoute::best, EigenRoute::vendor, EigenRoute::jacobi};

TYPED_TEST(EigenTest, DecomposesToRounding) {
  for (auto const route : routes)
    for (int const n : {1, 2, 3, 7, 16, 31, 64, 97}) {
      HostMatrix const a = symmetric(n, 71);
      this->run(a, route);
      auto const [residual, orthogonality] = errors(a, this->vectors, this->values);
      double const tolerance = 3e-15 * std::sqrt(static_cast<double>(n)) + 1e-15;
      if (n == 97)
        std::printf("route %d, n = 97: residual %.1e, orthogonality %.1e (tolerance %.1e)\n", static_cast<int>(route), residual,
                    orthogonality, tolerance);
      EXPECT_LE(residual, tolerance) << n;
      EXPECT_LE(orthogonality, tolerance) << n;
      EXPECT_TRUE(std::is_sorted(this->values.begin(), this->values.end()));
    }
}

TYPED_TEST(EigenTest, JacobiAndLapackAgree) {
  for (int const n : {5, 40, 81}) {
    HostMatrix const a = symmetric(n, 72);
    this->run(a, EigenRoute::vendor);
    auto const before = this->values;
    auto const axes = this->vectors;
    this->run(a, EigenRoute::jacobi);
    double worst = 0;
    for (std::size_t i = 0; i < before.size(); ++i) worst = std::max(worst, std::fabs(before[i] - this->values[i]));
    double const tolerance = 1e-15 * frobenius(a);
    std::printf("n = %d: eigenvalues differ by %.1e (tolerance %.1e)\n", n, worst, tolerance);
    EXPECT_LE(worst, tolerance);
    // Eigenvectors up to their sign, as far apart as the gap lets them be.
    for (int i = 0; i < n; ++i) {
      double gap = 1e300, inner = 0;
      for (int j = 0; j < n; ++j)
        if (j != i) gap = std::min(gap, std::fabs(before[static_cast<std::size_t>(i)] - before[static_cast<std::size_t>(j)]));
      for (int j = 0; j < n; ++j) inner += axes(i, j) * this->vectors(i, j);
      EXPECT_NEAR(std::fabs(inner), 1, 1e-13 * frobenius(a) / gap) << n << " vector " << i;
    }
  }
}

TYPED_TEST(EigenTest, KnownSpectra) {
  for (auto const route : routes) {
    // The second-difference matrix: 2 − 2cos(kπ/(n+1)).
    int const n = 50;
    HostMatrix a(n, n);
    for (int i = 0; i < n; ++i) {
      a(i, i) = 2;
      if (i > 0) a(i, i - 1) = a(i - 1, i) = -1;
    }
    this->run(a, route);
    for (int k = 1; k <= n; ++k)
      EXPECT_NEAR(this->values[static_cast<std::size_t>(k - 1)], 2 - 2 * std::cos(k * std::acos(-1.0) / (n + 1)), 5e-14);
    // A diagonal one with equal values, out of order.
    HostMatrix d(6, 6);
    double const entries[] = {3, -1, 3, 0, 7, -1};
    for (int i = 0; i < 6; ++i) d(i, i) = entries[i];
    this->run(d, route);
    EXPECT_EQ(this->values, (std::vector<double>{-1, -1, 0, 3, 3, 7}));
    // Rank one: everything but the top vanishes to rounding.
    HostMatrix one(20, 20);
    for (double& x : one.a) x = 1;
    this->run(one, route);
    EXPECT_NEAR(this->values.back(), 20, 1e-13);
    for (int i = 0; i < 19; ++i) EXPECT_NEAR(this->values[static_cast<std::size_t>(i)], 0, 2e-14);
  }
}

TYPED_TEST(EigenTest, ZeroScaleAndRepetition) {
  for (auto const route : routes) {
    this->run(HostMatrix(5, 5), route);
    for (double const v : this->values) EXPECT_EQ(v, 0);
    EXPECT_LE(errors(HostMatrix(5, 5), this->vectors, this->values).second, 1e-15);
    HostMatrix a = symmetric(33, 73);
    this->run(a, route);
    auto const before = this->values;
    auto const axes = this->vectors;
    this->run(a, route);
    EXPECT_EQ(this->values, before);
    EXPECT_EQ(this->vectors.a, axes.a);
    for (double& x : a.a) x = std::ldexp(x, -200);
    this->run(a, route);
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(std::ldexp(this->values[i], 200), before[i], 1e-13);
  }
}

TYPED_TEST(EigenTest, RefusesWhatItCannotSolve) {
  using Exec = typename TypeParam::Exec;
  for (auto const route : routes) {
    HostMatrix a = symmetric(4, 74);
    a(1, 2) = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(this->run(a, route), NumericalError);
    SymmetricEigen<Exec> solve(4, route);
    Matrix<double, Exec> const other("kaon::test::other", 5, 5);
    Vector<double, Exec> const w("kaon::test::values", 4);
    EXPECT_THROW(solve(Exec{}, w, other), std::invalid_argument);
    EXPECT_THROW(SymmetricEigen<Exec>(0, route), std::invalid_argument);
  }
}

}  // namespace eigen_test
}  // namespace kaon
