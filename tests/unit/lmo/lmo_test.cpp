// What every oracle promises, whatever its norm: ‖Z‖ = s, ⟨G, Z⟩ = −dual, no point of the ball does better, LMO(0) = 0.
#include "oracle.hpp"

#include <kaon/lmo/lmo.hpp>

#include <kaon/core/error.hpp>
#include <kaon/linalg/svd_host.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/traps.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

namespace kaon {
namespace lmo_test {

using namespace test;

/// Block (b, c) of a grid of down × across.
HostMatrix block_of(HostMatrix const& a, int down, int b, int across = 1, int c = 0) {
  HostMatrix h(a.rows / down, a.cols / across);
  for (int i = 0; i < h.rows; ++i)
    for (int j = 0; j < h.cols; ++j) h(i, j) = a(b * h.rows + i, c * h.cols + j);
  return h;
}

constexpr int shapes[][2] = {{1, 1}, {1, 12}, {12, 1}, {16, 16}, {10, 30}, {30, 10}, {37, 41}, {70, 130}, {300, 17}};

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
};
TYPED_TEST_SUITE(LmoTest, test::Backends, test::BackendNames);

TYPED_TEST(LmoTest, NormDualAndInnerProductAgreeWithFp64) {
  for (auto const& chosen : every_norm()) {
    double worst = 0;
    for (auto const& [m, n] : shapes) {
      auto const settings = fitted(chosen, m, n);
      this->run(settings, test::random_matrix(m, n, 61));
      double const s = this->radius, dual = s * norms_of(settings, this->given).dual;
      double const e[] = {norms_of(settings, this->found).norm / s - 1, dot_of(this->given, this->found) / -dual - 1,
                          this->dual_found / dual - 1};
      for (double const x : e) worst = std::max(worst, std::isfinite(x) ? std::fabs(x) : 1e300);
      EXPECT_EQ(s, 1.75);
    }
    // A random 16×16 matrix can have a value below 10⁻³‖G‖_F, which ten steps still bring home. 1e-14, 2e-14: the sums and
    // the values of the reference.
    double const tolerance = !by_singular_values(chosen.norm)                   ? 8 * this->eps + 1e-14
                             : chosen.norm == "spectral" && !chosen.polar.exact ? 300 * this->eps
                                                                                : 8 * this->eps + 2e-14;
    std::printf("%-24s norm, inner product, dual: worst relative error %.2e (tolerance %.1e)\n", describe(chosen).c_str(), worst,
                tolerance);
    EXPECT_LE(worst, tolerance) << describe(chosen);
  }
}

TYPED_TEST(LmoTest, NoPointOfTheBallDoesBetter) {
  for (auto const& settings : every_norm()) {
    this->run(settings, test::random_matrix(9, 14, 62));
    double const best = dot_of(this->given, this->found);
    for (std::uint64_t trial = 0; trial < 50; ++trial) {
      HostMatrix y = test::random_matrix(9, 14, 100 + trial);
      if (trial % 2 == 1)  // near the optimum, where a wrong oracle would be found out
        for (std::size_t i = 0; i < y.a.size(); ++i) y.a[i] = this->found.a[i] + 0.05 * y.a[i];
      double const size = norms_of(settings, y).norm / this->radius;
      for (double& v : y.a) v /= size;
      EXPECT_LE(best, dot_of(this->given, y) * (1 - 1e-5)) << describe(settings) << " trial " << trial;
    }
  }
}

TYPED_TEST(LmoTest, InnerProductsAreBoundedByNormTimesDualNorm) {
  for (auto const& settings : every_norm()) {
    double tightest = 0;
    for (std::uint64_t trial = 0; trial < 20; ++trial) {
      HostMatrix a = test::random_matrix(8, 11, 300 + trial);
      this->run(settings, test::random_matrix(8, 11, 400 + trial));
      if (trial % 2 == 1)
        for (std::size_t i = 0; i < a.a.size(); ++i) a.a[i] = this->found.a[i] + 0.01 * a.a[i];
      double const bound = norms_of(settings, a).norm * this->dual_found / this->radius;
      double const ratio = std::fabs(dot_of(a, this->given)) / bound;
      EXPECT_LE(ratio, 1 + 1e-5) << describe(settings);
      tightest = std::max(tightest, ratio);
    }
    EXPECT_GT(tightest, 0.4) << describe(settings);  // a dual norm that is too large would pass the bound
  }
}

TYPED_TEST(LmoTest, ZeroGivesZero) {
  for (auto settings : every_norm())
    for (int const blocks : {1, 2}) {
      settings.row_blocks = settings.col_blocks = blocks;
      settings = fitted(settings, 6 / blocks, 4 / blocks);
      this->run(settings, HostMatrix(6, 4));
      for (double const v : this->found.a) ASSERT_EQ(v, 0) << describe(settings);
      EXPECT_EQ(this->dual_found, 0) << describe(settings);
    }
}

TYPED_TEST(LmoTest, ZeroEntriesRowsAndColumnsStayZero) {
  HostMatrix g = test::random_matrix(8, 11, 63);
  for (int i = 0; i < 8; ++i) g(i, 4) = 0;
  for (int j = 0; j < 11; ++j) g(2, j) = -0.0;
  for (auto const& settings : every_norm()) {
    this->run(settings, g);
    for (int i = 0; i < 8; ++i) EXPECT_NEAR(this->found(i, 4), 0, 8 * this->eps) << describe(settings);
    for (int j = 0; j < 11; ++j) EXPECT_NEAR(this->found(2, j), 0, 8 * this->eps) << describe(settings);
    EXPECT_NEAR(norms_of(settings, this->found).norm, this->radius, 300 * this->eps * this->radius) << describe(settings);
  }
}

TYPED_TEST(LmoTest, SignsAreExact) {
  LmoSettings settings;
  settings.norm = "max-abs";
  settings.factor = 1.75;
  this->run(settings, test::random_matrix(20, 30, 64));
  for (std::size_t i = 0; i < this->found.a.size(); ++i) ASSERT_EQ(this->found.a[i], this->given.a[i] > 0 ? -1.75 : 1.75);
}

TYPED_TEST(LmoTest, TiesGoToTheLowestIndex) {
  // Long lines, so that ties fall into different chunks of a line and of a column.
  for (auto const& [m, n] : {std::pair{3, 9001}, {9001, 3}, {700, 90}}) {
    HostMatrix g = test::random_matrix(m, n, 68);
    for (double& v : g.a) v = v > 0.5 ? 2 : v < -0.5 ? -2 : 0.25;
    for (auto const* norm : {"l1", "one-to-one", "inf-to-inf"}) {
      LmoSettings settings;
      settings.norm = norm;
      this->run(settings, g);
      HostMatrix expected(m, n);
      std::vector<bool> row_done(static_cast<std::size_t>(m)), column_done(static_cast<std::size_t>(n));
      bool done = false;
      for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
          if (std::fabs(g(i, j)) < 2) continue;
          auto const r = static_cast<std::size_t>(i), c = static_cast<std::size_t>(j);
          bool const first = settings.norm == "l1" ? !done : settings.norm == "one-to-one" ? !column_done[c] : !row_done[r];
          if (first) expected(i, j) = g(i, j) > 0 ? -1 : 1;
          done = row_done[r] = column_done[c] = true;
        }
      // Lines without an entry of size 2 have their first entry as the largest.
      for (int i = 0; i < m && settings.norm == "inf-to-inf"; ++i)
        if (!row_done[static_cast<std::size_t>(i)]) expected(i, 0) = -1;
      for (int j = 0; j < n && settings.norm == "one-to-one"; ++j)
        if (!column_done[static_cast<std::size_t>(j)]) expected(0, j) = -1;
      EXPECT_EQ(this->found.a, expected.a) << norm << " " << m << "x" << n;
    }
  }
}

TYPED_TEST(LmoTest, SchattenReachesFrobeniusSpectralAndNuclear) {
  HostMatrix const g = test::random_matrix(12, 20, 69);
  LmoSettings other;
  auto const distance = [&](double p, char const* norm) {
    other = {};
    other.norm = norm;
    other.polar.exact = true;
    this->run(other, g);
    HostMatrix z = this->found;
    LmoSettings settings;
    settings.norm = "schatten";
    settings.p = p;
    this->run(settings, g);
    for (std::size_t i = 0; i < z.a.size(); ++i) z.a[i] -= this->found.a[i];
    return std::sqrt(dot_of(z, z) / dot_of(this->found, this->found));
  };
  EXPECT_LE(distance(2, "frobenius"), 8 * this->eps);
  double spectral = 1, nuclear = 1;
  for (double const p : {10.0, 100.0, 1000.0}) {
    double const d = distance(p, "spectral");
    std::printf("p = %6g: %.1e from spectral\n", p, d);
    EXPECT_LE(d, 4 / p);
    EXPECT_LT(d, spectral);
    spectral = d;
  }
  for (double const p : {1.2, 1.05, 1.01}) {
    double const d = distance(p, "nuclear");
    std::printf("p = %6g: %.1e from nuclear\n", p, d);
    EXPECT_LT(d, nuclear);
    nuclear = d;
  }
  EXPECT_LE(nuclear, 1e-3);
}

TYPED_TEST(LmoTest, KyFanReachesSpectralAndNuclear) {
  HostMatrix const g = test::random_matrix(9, 13, 70);
  auto const value = [&](char const* norm, int k) {
    LmoSettings settings;
    settings.norm = norm;
    settings.k = k;
    settings.polar.exact = true;
    this->run(settings, g);
    return this->found.a;
  };
  EXPECT_EQ(value("dual-ky-fan", 9), value("spectral", 1));  // Σ of all values is the nuclear norm
  EXPECT_EQ(value("dual-ky-fan", 1), value("nuclear", 1));
  EXPECT_EQ(value("ky-fan", 9), value("nuclear", 1));  // the norm is the sum of all values, its dual s₁
  auto const whole = value("spectral", 1), first = value("ky-fan", 1);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(first[i], whole[i], 4 * this->eps);
}

TYPED_TEST(LmoTest, TheScaleOfTheGradientDoesNotMatter) {
  HostMatrix const g = test::random_matrix(12, 7, 65);
  HostMatrix tiny = g;
  for (double& v : tiny.a) v = std::ldexp(v, -90);
  for (auto const& settings : every_norm()) {
    this->run(settings, g);
    HostMatrix const z = this->found;
    double const dual = this->dual_found;
    this->run(settings, tiny);
    for (std::size_t i = 0; i < z.a.size(); ++i) ASSERT_NEAR(this->found.a[i], z.a[i], 50 * this->eps) << describe(settings);
    EXPECT_NEAR(std::ldexp(this->dual_found, 90) / dual, 1, 50 * this->eps) << describe(settings);
  }
}

TYPED_TEST(LmoTest, EntriesWhoseSquaresLeaveTheRangeKeepTheirDirection) {
  test::Untrapped const untrapped;
  HostMatrix const g = test::random_matrix(12, 7, 72);
  int const far = this->eps > 1e-10 ? 118 : 900;
  for (auto const& settings : every_norm()) {
    this->run(settings, g);
    HostMatrix const z = this->found;
    double const dual = this->dual_found;
    double const tolerance = (by_singular_values(settings.norm) ? 300 : 50) * this->eps;  // LAPACK scales by other factors
    for (int const shift : {-far, far, far / 2}) {
      HostMatrix other = g;
      for (double& v : other.a) v = std::ldexp(v, shift);
      this->run(settings, other);
      for (std::size_t i = 0; i < z.a.size(); ++i)
        ASSERT_NEAR(this->found.a[i], z.a[i], tolerance) << describe(settings) << ", times 2^" << shift;
      EXPECT_NEAR(std::ldexp(this->dual_found, -shift) / dual, 1, tolerance) << describe(settings) << ", times 2^" << shift;
    }
  }
}

TYPED_TEST(LmoTest, InfinitiesAreNotHidden) {
  test::Untrapped const untrapped;
  for (double const bad : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    HostMatrix g = test::random_matrix(6, 6, 73);
    g(1, 2) = bad;
    for (auto const& settings : every_norm()) {
      this->run(settings, g);
      EXPECT_TRUE(std::isnan(this->found(1, 2))) << describe(settings);
    }
  }
}

TYPED_TEST(LmoTest, NansAreNotHidden) {
  test::Untrapped const untrapped;
  HostMatrix g = test::random_matrix(6, 6, 66);
  g(1, 2) = std::numeric_limits<double>::quiet_NaN();
  for (auto const& settings : every_norm()) {
    this->run(settings, g);
    EXPECT_TRUE(std::isnan(this->found(1, 2))) << describe(settings);
    EXPECT_TRUE(std::isnan(this->dual_found)) << describe(settings);
  }
}

TYPED_TEST(LmoTest, BlocksEqualTheBlocksAlone) {
  for (auto const& settings : every_norm())
    for (auto const& [down, across] : {std::pair{3, 1}, {1, 4}, {3, 2}}) {
      auto chosen = settings;
      if (!single_entries(chosen.norm)) chosen.scale = "muon";
      chosen.row_blocks = down;
      chosen.col_blocks = across;
      HostMatrix const g = test::random_matrix(60, 24, 67);
      this->run(chosen, g);
      HostMatrix const z = this->found;
      double const dual = this->dual_found, scale = this->radius;
      chosen.row_blocks = chosen.col_blocks = 1;
      double sum = 0;
      for (int b = 0; b < down; ++b)
        for (int c = 0; c < across; ++c) {
          this->run(chosen, block_of(g, down, b, across, c));
          HostMatrix const part = block_of(z, down, b, across, c);
          if (runs_on_host<typename TypeParam::Exec>) {
            EXPECT_EQ(this->found.a, part.a) << describe(chosen) << " block " << b << ", " << c;
          } else {  // a GPU's library multiplies a batch by another algorithm: 84 roundings seen at most
            double worst = 0;
            for (std::size_t i = 0; i < part.a.size(); ++i) worst = std::max(worst, std::fabs(this->found.a[i] - part.a[i]));
            EXPECT_LE(worst, 500 * this->eps) << describe(chosen) << " block " << b << ", " << c;
          }
          EXPECT_EQ(this->radius, scale);
          sum += this->dual_found;
        }
      EXPECT_NEAR(dual, sum, (runs_on_host<typename TypeParam::Exec> ? 1e-14 : std::max(1e-14, 2 * this->eps)) * sum)
          << describe(chosen);
      double const aspect = (60.0 / down) / (24.0 / across);
      EXPECT_NEAR(scale, 1.75 * (single_entries(chosen.norm) ? 1 : std::sqrt(std::max(1.0, aspect))), 1e-15 * scale);
    }
}

int allocations = 0;
// Kokkos reports an allocation of no bytes for the scratch that a team on a GPU does not ask for.
void saw_allocation(Kokkos_Profiling_SpaceHandle, char const* label, void const*, std::uint64_t bytes) {
  if (bytes == 0) return;
  std::printf("  allocated: %s, %llu bytes\n", label, static_cast<unsigned long long>(bytes));
  ++allocations;
}

TYPED_TEST(LmoTest, SteadyCallsAllocateNothing) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const G = test::to_device<T, Exec>(test::random_matrix(12, 20, 71));
  Matrix<T, Exec> const Z("kaon::test::Z", 12, 20);
  Scalar<double, Exec> const dual("kaon::test::dual");
  for (auto const& settings : every_norm())
    for (int const blocks : {1, 2}) {
      auto chosen = settings;
      chosen.row_blocks = chosen.col_blocks = blocks;
      Exec exec{};
      auto const lmo = make_lmo<T, Exec>(chosen, 12, 20);
      auto const call = [&] {
        lmo->apply(exec, Z, G);
        lmo->dual_norm(exec, dual, G, Z);
      };
      call();
      exec.fence();
      allocations = 0;
      Kokkos::Tools::Experimental::set_allocate_data_callback(saw_allocation);
      call();
      exec.fence();
      Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
      EXPECT_EQ(allocations, 0) << describe(chosen) << ", " << blocks;
    }
}

TYPED_TEST(LmoTest, RefusesOtherShapesAndAliases) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Matrix<T, Exec> const A("kaon::test::A", 4, 6), B("kaon::test::B", 6, 4);
  for (auto const& settings : every_norm()) {
    auto const lmo = make_lmo<T, Exec>(fitted(settings, 4, 6), 4, 6);
    EXPECT_THROW(lmo->apply(Exec{}, A, B), std::invalid_argument) << describe(settings);
    EXPECT_THROW(lmo->apply(Exec{}, B, A), std::invalid_argument) << describe(settings);
    EXPECT_THROW(lmo->apply(Exec{}, A, A), std::invalid_argument) << describe(settings);
  }
}

}  // namespace lmo_test
}  // namespace kaon
