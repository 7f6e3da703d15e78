// What every oracle promises, whatever its norm: ‖Z‖ = s, ⟨G, Z⟩ = −dual, no point of the ball does better, LMO(0) = 0.
#include <kaon/lmo/lmo.hpp>

#include <kaon/core/error.hpp>
#include <kaon/linalg/svd_host.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

namespace kaon {
namespace {

using test::HostMatrix;

double inner(HostMatrix const& a, HostMatrix const& b) { return std::inner_product(a.a.begin(), a.a.end(), b.a.begin(), 0.0); }

std::vector<double> lines(HostMatrix const& a, bool columns) {
  std::vector<double> s(static_cast<std::size_t>(columns ? a.cols : a.rows));
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) s[static_cast<std::size_t>(columns ? j : i)] += a(i, j) * a(i, j);
  for (double& x : s) x = std::sqrt(x);
  return s;
}

/// The numbers whose largest is the norm and whose sum is the dual norm, in fp64.
std::vector<double> parts(std::string const& norm, HostMatrix const& a) {
  if (norm == "spectral") return svd_host<double>(a.rows, a.cols, a.a).s;
  if (norm == "frobenius") return {std::sqrt(inner(a, a))};
  if (norm == "column") return lines(a, true);
  if (norm == "row") return lines(a, false);
  std::vector<double> s = a.a;
  for (double& x : s) x = std::fabs(x);
  return s;
}

double norm_of(std::string const& norm, HostMatrix const& a) {
  auto const p = parts(norm, a);
  return *std::max_element(p.begin(), p.end());
}

double dual_of(std::string const& norm, HostMatrix const& a) {
  auto const p = parts(norm, a);
  return std::accumulate(p.begin(), p.end(), 0.0);
}

HostMatrix block_of(HostMatrix const& a, int blocks, int b) {
  HostMatrix h(a.rows / blocks, a.cols);
  std::copy_n(a.a.begin() + b * static_cast<std::ptrdiff_t>(h.a.size()), h.a.size(), h.a.begin());
  return h;
}

constexpr int shapes[][2] = {{1, 1}, {1, 12}, {12, 1}, {16, 16}, {10, 30}, {30, 10}, {70, 130}};

template <class B>
struct LmoTest : ::testing::Test {
  using Real = typename B::T;
  using Space = typename B::Exec;
  static constexpr double eps = std::numeric_limits<Real>::epsilon();
  HostMatrix given, found;
  double dual_found = 0, radius = 0;

  void run(LmoSettings const& settings, HostMatrix const& input) {
    auto const G = test::to_device<Real, Space>(input);
    Matrix<Real, Space> Z("kaon::test::Z", G.extent(0), G.extent(1));
    Kokkos::deep_copy(Z, std::numeric_limits<Real>::quiet_NaN());
    Scalar<double, Space> result("kaon::test::dual");
    auto const lmo = make_lmo<Real, Space>(settings, input.rows, input.cols);
    Space exec{};
    lmo->apply(exec, Z, G);
    lmo->dual_norm(exec, result, G, Z);
    exec.fence();
    Kokkos::deep_copy(dual_found, result);
    radius = lmo->scale();
    given = test::to_host(G);
    found = test::to_host(Z);
  }

  static LmoSettings settings(std::string const& norm) {
    LmoSettings s;
    s.norm = norm;
    s.factor = 1.75;
    s.polar = {"polar-express", 10, false};
    return s;
  }
};
TYPED_TEST_SUITE(LmoTest, test::Backends);

TYPED_TEST(LmoTest, NormDualAndInnerProductAgreeWithFp64) {
  for (auto const& norm : lmo_norms()) {
    double worst = 0;
    for (bool const exact : {false, true})
      for (auto const& [m, n] : shapes) {
        auto chosen = this->settings(norm);
        chosen.polar.exact = exact;
        this->run(chosen, test::random_matrix(m, n, 61));
        double const s = this->radius, dual = s * dual_of(norm, this->given);
        double const e[] = {norm_of(norm, this->found) / s - 1, inner(this->given, this->found) / -dual - 1,
                            this->dual_found / dual - 1};
        for (double const x : e) worst = std::max(worst, std::isfinite(x) ? std::fabs(x) : 1e300);
        EXPECT_EQ(s, 1.75);
      }
    // A random 16×16 matrix can have a value below 10⁻³‖G‖_F, which ten steps still bring home.
    double const tolerance = norm == "spectral" ? 300 * this->eps : 8 * this->eps + 1e-14;  // 1e-14: the sums of the reference
    std::printf("%-10s norm, inner product, dual: worst relative error %.2e (tolerance %.1e)\n", norm.c_str(), worst, tolerance);
    EXPECT_LE(worst, tolerance) << norm;
  }
}

TYPED_TEST(LmoTest, NoPointOfTheBallDoesBetter) {
  for (auto const& norm : lmo_norms()) {
    this->run(this->settings(norm), test::random_matrix(9, 14, 62));
    double const best = inner(this->given, this->found);
    for (std::uint64_t trial = 0; trial < 50; ++trial) {
      HostMatrix y = test::random_matrix(9, 14, 100 + trial);
      if (trial % 2 == 1)  // near the optimum, where a wrong oracle would be found out
        for (std::size_t i = 0; i < y.a.size(); ++i) y.a[i] = this->found.a[i] + 0.05 * y.a[i];
      double const size = norm_of(norm, y) / this->radius;
      for (double& v : y.a) v /= size;
      EXPECT_LE(best, inner(this->given, y) * (1 - 1e-5)) << norm << " trial " << trial;
    }
  }
}

TYPED_TEST(LmoTest, ZeroGivesZero) {
  for (auto const& norm : lmo_norms())
    for (int const blocks : {1, 2}) {
      auto chosen = this->settings(norm);
      chosen.row_blocks = blocks;
      this->run(chosen, HostMatrix(6, 5));
      for (double const v : this->found.a) ASSERT_EQ(v, 0) << norm;
      EXPECT_EQ(this->dual_found, 0) << norm;
    }
}

TYPED_TEST(LmoTest, ZeroEntriesRowsAndColumnsStayZero) {
  HostMatrix g = test::random_matrix(8, 11, 63);
  for (int i = 0; i < 8; ++i) g(i, 4) = 0;
  for (int j = 0; j < 11; ++j) g(2, j) = -0.0;
  for (auto const& norm : lmo_norms()) {
    this->run(this->settings(norm), g);
    for (int i = 0; i < 8; ++i) EXPECT_NEAR(this->found(i, 4), 0, 4 * this->eps) << norm;
    for (int j = 0; j < 11; ++j) EXPECT_NEAR(this->found(2, j), 0, 4 * this->eps) << norm;
    EXPECT_NEAR(norm_of(norm, this->found), this->radius, 300 * this->eps * this->radius) << norm;
  }
}

TYPED_TEST(LmoTest, SignsAreExact) {
  this->run(this->settings("max-abs"), test::random_matrix(20, 30, 64));
  for (std::size_t i = 0; i < this->found.a.size(); ++i) ASSERT_EQ(this->found.a[i], this->given.a[i] > 0 ? -1.75 : 1.75);
}

TYPED_TEST(LmoTest, TheScaleOfTheGradientDoesNotMatter) {
  HostMatrix const g = test::random_matrix(12, 7, 65);
  HostMatrix tiny = g;
  for (double& v : tiny.a) v = std::ldexp(v, -90);
  for (auto const& norm : lmo_norms()) {
    this->run(this->settings(norm), g);
    HostMatrix const z = this->found;
    double const dual = this->dual_found;
    this->run(this->settings(norm), tiny);
    for (std::size_t i = 0; i < z.a.size(); ++i) ASSERT_NEAR(this->found.a[i], z.a[i], 50 * this->eps) << norm;
    EXPECT_NEAR(std::ldexp(this->dual_found, 90) / dual, 1, 50 * this->eps) << norm;
  }
}

TYPED_TEST(LmoTest, NansAreNotHidden) {
  HostMatrix g = test::random_matrix(6, 6, 66);
  g(1, 2) = std::numeric_limits<double>::quiet_NaN();
  for (auto const& norm : lmo_norms()) {
    this->run(this->settings(norm), g);
    EXPECT_TRUE(std::isnan(this->found(1, 2))) << norm;
    EXPECT_TRUE(std::isnan(this->dual_found)) << norm;
  }
}

TYPED_TEST(LmoTest, FusedBlocksEqualTheBlocksAlone) {
  for (auto const& norm : lmo_norms()) {
    auto chosen = this->settings(norm);
    chosen.scale = "muon";
    chosen.row_blocks = 3;
    HostMatrix const g = test::random_matrix(60, 16, 67);
    this->run(chosen, g);
    HostMatrix const z = this->found;
    double const dual = this->dual_found, scale = this->radius;
    chosen.row_blocks = 1;
    double sum = 0;
    for (int b = 0; b < 3; ++b) {
      this->run(chosen, block_of(g, 3, b));
      EXPECT_EQ(this->found.a, block_of(z, 3, b).a) << norm << " block " << b;
      EXPECT_EQ(this->radius, scale);
      sum += this->dual_found;
    }
    EXPECT_NEAR(dual, sum, 1e-14 * sum) << norm;
    EXPECT_NEAR(scale, 1.75 * std::sqrt(20.0 / 16), 1e-15);
  }
}

TYPED_TEST(LmoTest, RefusesOtherShapesAndAliases) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Matrix<T, Exec> const A("kaon::test::A", 4, 6), B("kaon::test::B", 6, 4);
  for (auto const& norm : lmo_norms()) {
    auto const lmo = make_lmo<T, Exec>(this->settings(norm), 4, 6);
    EXPECT_THROW(lmo->apply(Exec{}, A, B), std::invalid_argument) << norm;
    EXPECT_THROW(lmo->apply(Exec{}, B, A), std::invalid_argument) << norm;
    EXPECT_THROW(lmo->apply(Exec{}, A, A), std::invalid_argument) << norm;
  }
}

}  // namespace
}  // namespace kaon
