// Exact polar factors and recompositions against fp64 SVDs, at many conditions, ranks and scales.
#include <kaon/polar/gram_eigen.hpp>

#include <kaon/linalg/svd_host.hpp>
#include <kaon/polar/qdwh.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <type_traits>

namespace kaon {
namespace gram_eigen_test {

using test::HostMatrix;

/// Σ w_i u_i v_iᵀ in fp64 over the SVD of a, with w = f(index, value).
template <class F>
HostMatrix recomposed(HostMatrix const& a, F const& f) {
  auto const svd = svd_host<double>(a.rows, a.cols, a.a);
  HostMatrix z(a.rows, a.cols);
  auto const r = static_cast<std::size_t>(svd.rank), n = static_cast<std::size_t>(a.cols);
  for (std::size_t l = 0; l < r; ++l) {
    double const w = f(l, svd.s[l]);
    if (w == 0) continue;
    for (std::size_t i = 0; i < static_cast<std::size_t>(a.rows); ++i)
      for (std::size_t j = 0; j < n; ++j) z.a[i * n + j] += svd.u[i * r + l] * w * svd.vt[l * n + j];
  }
  return z;
}

/// Values that fall geometrically from 1 to 1/condition, with the singular vectors of a random matrix; then zeros from `rank` on.
HostMatrix made(int m, int n, double condition, std::uint64_t seed, int rank = 1 << 30) {
  int const r = std::min(m, n);
  return recomposed(test::random_matrix(m, n, seed), [&](std::size_t l, double) {
    return static_cast<int>(l) >= rank ? 0.0 : r == 1 ? 1.0 : std::pow(condition, -static_cast<double>(l) / (r - 1));
  });
}

double largest_difference(HostMatrix const& a, HostMatrix const& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.a.size(); ++i) {
    double const d = std::fabs(a.a[i] - b.a[i]);
    if (std::isnan(d)) return d;
    worst = std::max(worst, d);
  }
  return worst;
}

constexpr int shapes[][2] = {{1, 1}, {1, 9}, {9, 1}, {16, 16}, {53, 53}, {12, 50}, {50, 12}, {96, 128}};

template <class B>
struct GramEigenTest : ::testing::Test {
  using Real = typename B::T;
  using Space = typename B::Exec;
  static constexpr double eps = std::numeric_limits<Real>::epsilon();
  static constexpr bool by_gram = std::is_same_v<Real, float>;
  HostMatrix input;

  HostMatrix polar(HostMatrix const& g, int batch = 1) {
    auto const G = test::to_device<Real, Space>(g);
    auto Z = test::to_device<Real, Space>(HostMatrix(g.rows, g.cols));
    Kokkos::deep_copy(Z, std::numeric_limits<Real>::quiet_NaN());
    input = test::to_host(G);
    GramPolar<Real, Space> exact(g.rows / batch, g.cols, batch);
    Space exec{};
    exact(exec, Z, G);
    exec.fence();
    return test::to_host(Z);
  }
};
TYPED_TEST_SUITE(GramEigenTest, test::Backends, test::BackendNames);

TYPED_TEST(GramEigenTest, ExactAtEveryCondition) {
  for (double const condition : {1.0, 10.0, 1e2, 1e3, 1e4, 1e5}) {
    double worst = 0;
    for (auto const& [m, n] : shapes) {
      auto const z = this->polar(made(m, n, condition, 91));
      worst = std::max(worst, largest_difference(z, recomposed(this->input, [](std::size_t, double) { return 1.0; })));
    }
    // float: products in float up to a growth of 32, then in double, where the Gram matrix costs ε_double·κ². double: κε.
    double const tolerance =
        this->by_gram ? 2 * std::min(condition, 32.0) * this->eps + 1e-15 * condition * condition : condition * this->eps + 1e-15;
    std::printf("condition %.0e: max|Z - UV'| %.1e (tolerance %.1e)\n", condition, worst, tolerance);
    EXPECT_LE(worst, tolerance) << condition;
  }
}

TYPED_TEST(GramEigenTest, AgreesWithQdwh) {
  // Another algorithm altogether: neither an SVD nor a Gram matrix's eigenvalues.
  using Exec = typename TypeParam::Exec;
  for (auto const& [m, n] : {std::pair{40, 60}, {60, 40}, {33, 33}})
    for (double const condition : {1.0, 1e2, 1e4}) {
      auto const z = this->polar(made(m, n, condition, 97));
      auto const G = test::to_device<double, Exec>(this->input);
      Matrix<double, Exec> const Q("kaon::test::Q", G.extent(0), G.extent(1));
      Exec exec{};
      Qdwh<Exec> qdwh(m, n);
      qdwh(exec, Q, G);
      exec.fence();
      double const error = largest_difference(z, test::to_host(Q));
      double const tolerance =
          this->by_gram ? 2 * std::min(condition, 32.0) * this->eps + 1e-15 * condition * condition : 4e-15 * condition;
      if (m == 40) std::printf("condition %.0e: %.1e from QDWH (tolerance %.1e)\n", condition, error, tolerance);
      EXPECT_LE(error, tolerance) << m << "x" << n << " " << condition;
    }
}

TYPED_TEST(GramEigenTest, DropsTheNullSpaceAndKeepsZero) {
  for (auto const& [m, n] : {std::pair{20, 30}, {30, 20}, {25, 25}})
    for (int const rank : {0, 1, 3, 15}) {
      auto const g = made(m, n, 2, 92, rank);
      auto const z = this->polar(g);
      double const expected = rank;
      double squares = 0;
      for (double const v : z.a) squares += v * v;
      EXPECT_NEAR(squares, expected, 100 * this->eps) << m << "x" << n << " rank " << rank;
      if (rank > 0) {
        auto const want = recomposed(this->input, [&](std::size_t l, double) { return static_cast<int>(l) < rank ? 1.0 : 0.0; });
        EXPECT_LE(largest_difference(z, want), 40 * this->eps);
      }
    }
}

TYPED_TEST(GramEigenTest, AnyWeightsByEveryPath) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  // Full and thin, with little and with much growth of rounding errors: the four ways that the products take.
  for (auto const& [m, n] : {std::pair{24, 40}, {40, 24}, {24, 24}})
    for (double const condition : {3.0, 3000.0})
      for (int const kept : {1, 4, 12, 13, 24}) {
        auto const G = test::to_device<T, Exec>(made(m, n, condition, 93));
        auto const g = test::to_host(G);
        Matrix<T, Exec> const Z("kaon::test::Z", G.extent(0), G.extent(1));
        SingularFactors<T, Exec> factors(m, n);
        Exec exec{};
        ASSERT_TRUE(factors.factor(exec, G));
        auto const reference = svd_host<double>(m, n, g.a).s;
        for (std::size_t i = 0; i < 24; ++i)
          EXPECT_NEAR(factors.values()[i] / reference[i], 1, this->by_gram ? 1e-8 : 1e-11) << i;
        std::vector<double> weights(24, 0.0);
        for (int i = 0; i < kept; ++i) weights[static_cast<std::size_t>(i)] = 1.0 / (1 + i);
        // A second composition from the same factors must not disturb the first's.
        for (int repeat = 0; repeat < 2; ++repeat) {
          factors.compose(exec, Z, G, weights);
          exec.fence();
          auto const want = recomposed(g, [&](std::size_t l, double) { return weights[l]; });
          double const tolerance = this->by_gram ? 64 * this->eps : 1e-11;
          EXPECT_LE(largest_difference(test::to_host(Z), want), tolerance) << m << "x" << n << " " << condition << " " << kept;
        }
      }
}

TYPED_TEST(GramEigenTest, ScaleDoesNotMatterAndBitsRepeat) {
  HostMatrix const g = test::random_matrix(24, 40, 94);
  auto const z = this->polar(g);
  EXPECT_EQ(this->polar(g).a, z.a);
  for (int const power : {-100, -40, 30, 60}) {
    HostMatrix h = g;
    for (double& v : h.a) v = std::ldexp(v, power);
    EXPECT_LE(largest_difference(this->polar(h), z), 20 * this->eps) << power;
  }
}

TYPED_TEST(GramEigenTest, ABatchIsItsMatricesAlone) {
  HostMatrix const g = test::random_matrix(30, 14, 95);
  auto const z = this->polar(g, 3);
  for (int b = 0; b < 3; ++b) {
    HostMatrix part(10, 14), want(10, 14);
    std::copy_n(g.a.begin() + b * 140, 140, part.a.begin());
    std::copy_n(z.a.begin() + b * 140, 140, want.a.begin());
    EXPECT_EQ(this->polar(part).a, want.a) << b;
  }
}

TYPED_TEST(GramEigenTest, NanAndInfinityGiveNan) {
  for (double const bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    HostMatrix g = test::random_matrix(6, 9, 96);
    g(3, 4) = bad;
    for (double const v : this->polar(g).a) ASSERT_TRUE(std::isnan(v));
  }
}

TYPED_TEST(GramEigenTest, RefusesOtherShapesAliasesAndWeights) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  GramPolar<T, Exec> polar(4, 6);
  Matrix<T, Exec> const A("kaon::test::A", 4, 6), B("kaon::test::B", 6, 4), C("kaon::test::C", 4, 6);
  EXPECT_THROW(polar(Exec{}, A, B), std::invalid_argument);
  EXPECT_THROW(polar(Exec{}, A, A), std::invalid_argument);
  EXPECT_THROW((GramPolar<T, Exec>(4, 6, 0)), std::invalid_argument);
  EXPECT_THROW((SingularFactors<T, Exec>(0, 6)), std::invalid_argument);
  SingularFactors<T, Exec> factors(4, 6);
  Kokkos::deep_copy(A, T(1));
  ASSERT_TRUE(factors.factor(Exec{}, A));
  EXPECT_THROW(factors.compose(Exec{}, C, A, {1, 1, 1}), std::invalid_argument);
  EXPECT_THROW(factors.compose(Exec{}, C, A, {-1, 0, 0, 0}), std::invalid_argument);
  EXPECT_THROW(factors.compose(Exec{}, A, A, {1, 1, 1, 1}), std::invalid_argument);
}

TEST(GramPolarCost, GrowsWithTheShapeAndIsSymmetric) {
  EXPECT_EQ(gram_polar_cost(10, 30), gram_polar_cost(30, 10));
  EXPECT_GT(gram_polar_cost(10, 60), gram_polar_cost(10, 30));
}

}  // namespace gram_eigen_test
}  // namespace kaon
