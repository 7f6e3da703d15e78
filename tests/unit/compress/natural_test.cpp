#include "harness.hpp"

namespace {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct NaturalTest : ::testing::Test {};
TYPED_TEST_SUITE(NaturalTest, Backends);

/// The nearest power of two in fp64, by its definition.
double nearest_power(double v) {
  if (v == 0) return 0;
  int e = 0;
  std::frexp(v, &e);
  double const low = std::ldexp(1.0, e - 1), high = std::ldexp(1.0, e);
  return std::copysign(std::fabs(v) - low < high - std::fabs(v) ? low : high, v);
}

TYPED_TEST(NaturalTest, IsTheNearestPowerOfTwo) {
  using T = typename TypeParam::T;
  auto x = random_matrix(57, 43, 11);
  for (std::size_t i = 0; i < x.a.size(); ++i) x.a[i] *= std::ldexp(1.0, static_cast<int>(i % 200) - 100);
  x = rounded<T>(x);
  x.a[0] = 0, x.a[1] = 1.5, x.a[2] = -1.5, x.a[3] = 1, x.a[4] = -0.75, x.a[5] = std::nextafter(T(1.5), T(1));
  Harness<T, typename TypeParam::Exec> h("natural", 57, 43);
  auto const c = h.apply(x);
  for (std::size_t i = 0; i < x.a.size(); ++i) ASSERT_EQ(c.a[i], nearest_power(x.a[i])) << "entry " << i << " = " << x.a[i];
}

TYPED_TEST(NaturalTest, EndsOfTheRangeAreAsDocumented) {
  using T = typename TypeParam::T;
  double const inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  double const least = std::ldexp(1.0, -126), most = std::ldexp(1.0, 127);
  HostMatrix x(1, 11), expected(1, 11);
  x.a = {least, 0.75 * least, 0.25 * least, -0.5 * least, 1.25 * most, 1.75 * most, -1.75 * most, inf, -inf, nan, -0.0};
  expected.a = {least, least, 0, -least, most, most, -most, inf, -inf, inf, 0};
  Harness<T, typename TypeParam::Exec> h("natural", 1, 11);
  EXPECT_EQ(h.apply(x).a, expected.a);
  if constexpr (sizeof(T) == 8) {
    HostMatrix wide(1, 4);
    wide.a = {1e300, -1e300, 1e-300, -1e-310};
    Harness<T, typename TypeParam::Exec> w("natural", 1, 4);
    EXPECT_EQ(w.apply(wide).a, (std::vector<double>{most, -most, 0, 0}));
  }
}

TYPED_TEST(NaturalTest, StochasticRoundingIsUnbiased) {
  using T = typename TypeParam::T;
  int const entries = 64, draws = 4000;
  auto const x = rounded<T>(random_matrix(1, entries, 12));
  HostMatrix many(draws, entries);
  for (int d = 0; d < draws; ++d)
    for (int i = 0; i < entries; ++i) many(d, i) = x(0, i);
  Harness<T, typename TypeParam::Exec> h("natural:stochastic", draws, entries);
  auto const c = h.apply(many);
  std::vector<double> mean(entries, 0.0);
  double error = 0;
  for (int d = 0; d < draws; ++d)
    for (int i = 0; i < entries; ++i) {
      int e = 0;
      double const low = std::ldexp(1.0, (std::frexp(x(0, i), &e), e - 1));
      ASSERT_TRUE(std::fabs(c(d, i)) == low || std::fabs(c(d, i)) == 2 * low);
      ASSERT_EQ(std::signbit(c(d, i)), std::signbit(x(0, i)));
      mean[static_cast<std::size_t>(i)] += c(d, i) / draws;
      error += (c(d, i) - x(0, i)) * (c(d, i) - x(0, i)) / draws;
    }
  double worst = 0, sum = 0;
  for (std::size_t i = 0; i < entries; ++i) {
    int e = 0;
    double const low = std::ldexp(1.0, (std::frexp(x.a[i], &e), e - 1)), f = std::fabs(x.a[i]) / low - 1;
    double const z = (mean[i] - x.a[i]) / (low * std::sqrt(f * (1 - f) / draws) + 1e-300);
    worst = std::max(worst, std::fabs(z));
    sum += z;
  }
  std::printf("seed 12: largest |z| %.2f of %d, mean z %.3f (limits 4.5, 0.5); error %.4f of 0.125\n", worst, entries,
              sum / entries, error / squared(x));
  EXPECT_LT(worst, 4.5);
  EXPECT_LT(std::fabs(sum / entries), 0.5);
  EXPECT_LE(error, squared(x) / 8 * 1.01);
}

TYPED_TEST(NaturalTest, StochasticDependsOnTheKeyAlone) {
  using T = typename TypeParam::T;
  auto const x = random_matrix(20, 30, 13);
  Harness<T, typename TypeParam::Exec> a("natural:stochastic", 20, 30), b("natural:stochastic", 20, 30);
  auto const first = a.compress(x);
  EXPECT_EQ(first, b.compress(x));
  b.key.worker = 2;
  EXPECT_NE(first, b.compress(x));
}

TYPED_TEST(NaturalTest, LayoutIsAsDocumented) {
  HostMatrix x(1, 3);
  x.a = {1.0, -2.0, 0.0};
  Harness<typename TypeParam::T, typename TypeParam::Exec> h("natural", 1, 3);
  std::vector<unsigned char> expected(16, 0);
  expected[0] = 127, expected[1] = 128, expected[8] = 0b010;
  EXPECT_EQ(h.compress(x), expected);
}

}  // namespace
