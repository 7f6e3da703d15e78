// The iteration on matrices is the scalar map on singular values, with the singular vectors kept: against fp64 SVDs.
#include <kaon/polar/polar.hpp>

#include <kaon/core/error.hpp>
#include <kaon/linalg/svd_host.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace kaon {
namespace polar_test {

using test::HostMatrix;

/// U·diag(f(s))·Vt in fp64 for the SVD of a.
template <class F>
HostMatrix map_values(HostMatrix const& a, F const& f) {
  auto const svd = svd_host<double>(a.rows, a.cols, a.a);
  HostMatrix z(a.rows, a.cols);
  auto const r = static_cast<std::size_t>(svd.rank), n = static_cast<std::size_t>(a.cols);
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.rows); ++i)
    for (std::size_t l = 0; l < r; ++l)
      for (std::size_t j = 0; j < n; ++j) z.a[i * n + j] += svd.u[i * r + l] * f(svd.s[l]) * svd.vt[l * n + j];
  return z;
}

double frobenius(HostMatrix const& a) {
  double s = 0;
  for (double const x : a.a) s += x * x;
  return std::sqrt(s);
}

double largest_difference(HostMatrix const& a, HostMatrix const& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.a.size(); ++i) {
    double const d = std::fabs(a.a[i] - b.a[i]);
    worst = d <= worst ? worst : d;  // a NaN shows
    if (std::isnan(d)) return d;
  }
  return worst;
}

constexpr int shapes[][2] = {{1, 1}, {1, 9}, {9, 1}, {16, 16}, {12, 50}, {50, 12}, {96, 128}};

template <class B>
struct PolarTest : ::testing::Test {
  using Real = typename B::T;
  using Space = typename B::Exec;
  static constexpr double eps = std::numeric_limits<Real>::epsilon();
  HostMatrix input;

  HostMatrix run(PolarSettings const& settings, HostMatrix const& g) {
    auto const G = test::to_device<Real, Space>(g);
    auto Z = test::to_device<Real, Space>(HostMatrix(g.rows, g.cols));
    Kokkos::deep_copy(Z, std::numeric_limits<Real>::quiet_NaN());  // every entry must be written
    input = test::to_host(G);
    Polar<Real, Space> polar(settings, g.rows, g.cols);
    Space exec{};
    polar(exec, Z, G);
    exec.fence();
    return test::to_host(Z);
  }
};
TYPED_TEST_SUITE(PolarTest, test::Backends, test::BackendNames);

TYPED_TEST(PolarTest, IsTheScalarMapOnSingularValues) {
  for (auto const& [set, steps] :
       {std::pair{"muon", 5}, {"you", 5}, {"polar-express", 1}, {"polar-express", 5}, {"polar-express", 8}, {"cans", 5}})
    for (auto const& [m, n] : shapes) {
      auto const z = this->run({set, steps, false}, test::random_matrix(m, n, 51));
      double const norm = frobenius(this->input);
      auto const table = polar_coefficients(set, steps);
      auto const expected = map_values(this->input, [&](double s) { return polar_map(table, s / norm); });
      double const error = largest_difference(z, expected);
      // A value on the table's upper end, 1, which a row or a column has, may be rounded past it, where some maps are steep.
      double const beyond = std::fabs(polar_map(table, 1 + 8 * this->eps) - polar_map(table, 1));
      double const tolerance = 200 * this->eps * steps + (std::min(m, n) == 1 ? beyond : 0);
      if (m == 96) std::printf("%-14s %d steps %dx%d: error %.2e (tolerance %.1e)\n", set, steps, m, n, error, tolerance);
      EXPECT_LE(error, tolerance) << set << " " << m << "x" << n;
    }
}

TYPED_TEST(PolarTest, KnownSingularValuesOfManyMagnitudes) {
  // diag(1 … 10⁻³) turned by the singular vectors of a random matrix.
  HostMatrix const base = test::random_matrix(40, 24, 52);
  int at = 0;
  auto const values = svd_host<double>(40, 24, base.a).s;
  HostMatrix const g = map_values(base, [&](double s) {
    at = static_cast<int>(std::find(values.begin(), values.end(), s) - values.begin());
    return std::pow(1e-3, at / 23.0);
  });
  auto const z = this->run({"polar-express", 8, false}, g);
  auto const error = largest_difference(z, map_values(base, [](double) { return 1.0; }));
  // Relative to ‖G‖_F the smallest value is 3.6·10⁻⁴: the table's interval starts at 10⁻³.
  auto const table = polar_coefficients("polar-express", 8);
  double const expected = std::fabs(1 - polar_map(table, 1e-3 / frobenius(this->input)));
  std::printf("values 1 … 1e-3: error %.2e (scalar map %.2e)\n", error, expected);
  EXPECT_LE(error, expected + 2e4 * this->eps);
}

TYPED_TEST(PolarTest, ExactFactorIsOrthogonal) {
  for (auto const& [m, n] : shapes) {
    auto const z = this->run({"polar-express", 5, true}, test::random_matrix(m, n, 53));
    double const error = largest_difference(z, map_values(this->input, [](double) { return 1.0; }));
    EXPECT_LE(error, 2000 * this->eps) << m << "x" << n;
    double worst = 0;
    int const r = std::min(m, n);
    for (int i = 0; i < r; ++i)
      for (int j = 0; j < r; ++j) {
        double s = i == j ? -1 : 0;
        for (int k = 0; k < std::max(m, n); ++k) s += m <= n ? z(i, k) * z(j, k) : z(k, i) * z(k, j);
        worst = std::max(worst, std::fabs(s));
      }
    EXPECT_LE(worst, 50 * this->eps) << m << "x" << n;
  }
}

TYPED_TEST(PolarTest, ExactFactorDropsTheNullSpace) {
  HostMatrix g(20, 30);
  HostMatrix const x = test::random_matrix(20, 3, 54), y = test::random_matrix(3, 30, 55);
  for (int i = 0; i < 20; ++i)
    for (int l = 0; l < 3; ++l)
      for (int j = 0; j < 30; ++j) g(i, j) += x(i, l) * y(l, j);
  double const norm = frobenius(this->run({"polar-express", 5, true}, g));
  EXPECT_NEAR(norm, std::sqrt(3.0), 100 * this->eps);  // three singular values of one, and nothing else
}

TYPED_TEST(PolarTest, DoesNotDependOnTheScaleOfTheGradient) {
  HostMatrix const g = test::random_matrix(24, 40, 56);
  auto const z = this->run({}, g);
  for (double const power : {-100.0, -40.0, 30.0, 60.0}) {
    HostMatrix h = g;
    for (double& v : h.a) v = std::ldexp(v, static_cast<int>(power));
    EXPECT_LE(largest_difference(this->run({}, h), z), 20 * this->eps) << power;
  }
}

TYPED_TEST(PolarTest, ZeroGivesZeroAndNanGivesNan) {
  for (bool const exact : {false, true})
    for (auto const& [m, n] : shapes)
      for (double const v : this->run({"polar-express", 5, exact}, HostMatrix(m, n)).a) ASSERT_EQ(v, 0);
  HostMatrix g = test::random_matrix(6, 9, 57);
  g(3, 4) = std::numeric_limits<double>::quiet_NaN();
  bool any = false;
  for (double const v : this->run({}, g).a) any = any || std::isnan(v);
  EXPECT_TRUE(any);
  EXPECT_THROW(this->run({"polar-express", 5, true}, g), NumericalError);
}

TYPED_TEST(PolarTest, TransposedInputGivesTransposedOutputAndRepeats) {
  HostMatrix const g = test::random_matrix(18, 44, 58);
  HostMatrix t(44, 18);
  for (int i = 0; i < 18; ++i)
    for (int j = 0; j < 44; ++j) t(j, i) = g(i, j);
  auto const z = this->run({}, g), zt = this->run({}, t);
  EXPECT_EQ(this->run({}, g).a, z.a);
  double worst = 0;
  for (int i = 0; i < 18; ++i)
    for (int j = 0; j < 44; ++j) worst = std::max(worst, std::fabs(z(i, j) - zt(j, i)));
  EXPECT_LE(worst, 200 * this->eps);
}

TYPED_TEST(PolarTest, RefusesOtherShapesAndAliases) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Polar<T, Exec> polar({}, 4, 6);
  Matrix<T, Exec> const A("kaon::test::A", 4, 6), B("kaon::test::B", 6, 4);
  EXPECT_THROW(polar(Exec{}, A, B), std::invalid_argument);
  EXPECT_THROW(polar(Exec{}, A, A), std::invalid_argument);
  EXPECT_THROW((Polar<T, Exec>({"none", 5, false}, 4, 6)), UsageError);
}

TEST(PolarCost, IsThatOfThePlan) {
  PolarSettings standard{"muon", 5, false};
  standard.form = "standard";
  EXPECT_EQ(polar_cost(standard, 10, 30), 20.0 * 10 * 10 * 30 + 10.0 * 10 * 10 * 10);
  EXPECT_EQ(polar_cost({"muon", 5, false}, 30, 10), polar_cost({"muon", 5, false}, 10, 30));
  EXPECT_LT(polar_cost({"muon", 5, false}, 10, 30), polar_cost(standard, 10, 30));
}

}  // namespace polar_test
}  // namespace kaon
