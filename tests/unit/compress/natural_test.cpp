#include <kaon/support/traps.hpp>
#include "harness.hpp"

namespace natural_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct NaturalTest : ::testing::Test {};
TYPED_TEST_SUITE(NaturalTest, Backends, BackendNames);

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

/// The payload by its definition, value by value: nearest, or up where the fraction in 2⁻³² exceeds the stream's word.
std::vector<unsigned char> payload_by_definition(HostMatrix const& x, bool stochastic, StreamKey const& key) {
  std::size_t const n = x.a.size();
  std::vector<unsigned char> out((n + 7) / 8 * 8 + (n + 63) / 64 * 8, 0);
  for (std::size_t i = 0; i < n; ++i) {
    double const a = std::fabs(x.a[i]), least = std::ldexp(1.0, -126);
    int e = 0;
    std::frexp(a, &e);
    double const low = a < least ? 0 : std::ldexp(1.0, e - 1), gap = a < least ? least : low;
    auto const fraction = static_cast<std::uint64_t>(std::ldexp((a - low) / gap, 32));
    std::uint64_t const threshold = stochastic ? random_word(key, i) : 0x7fffffffU;
    int const code = std::min(254, (a < least ? 0 : e - 1 + 127) + (fraction > threshold ? 1 : 0));
    out[i] = static_cast<unsigned char>(std::isfinite(a) ? code : 255);
    if (x.a[i] < 0) out[(n + 7) / 8 * 8 + i / 8] |= static_cast<unsigned char>(1U << (i % 8));
  }
  return out;
}

TYPED_TEST(NaturalTest, PayloadIsTheDefinitionsForEverySizeAndPosition) {
  kaon::test::Untrapped const untrapped;
  using T = typename TypeParam::T;
  double const inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> const special{0.0, -0.0, inf, -inf, nan, 1.5, -1.5, std::ldexp(1.0, -126), -std::ldexp(1.9, 127), 1e-30};
  for (char const* spec : {"natural", "natural:stochastic"})
    for (int n : {1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 71, 72, 73, 127, 128, 129, 130, 200, 511, 512, 513, 1000}) {
      auto x = random_matrix(1, n, 14 + static_cast<std::uint64_t>(n));
      for (int i = n % 3; i < n; i += 5) x(0, i) = special[static_cast<std::size_t>(i / 5) % special.size()];
      x = rounded<T>(x);
      Harness<T, typename TypeParam::Exec> h(spec, 1, n);
      auto const expected = payload_by_definition(x, h.c->is_random(), h.key);
      EXPECT_EQ(h.compress(x), expected) << spec << ", " << n << " values";
      auto const c = h.decompress(expected, HostMatrix(1, n));
      for (int i = 0; i < n; ++i) {
        int const code = expected[static_cast<std::size_t>(i)];
        double const power = code == 0 ? 0 : code == 255 ? inf : std::ldexp(1.0, code - 127);
        ASSERT_EQ(c(0, i), x(0, i) < 0 ? -power : power) << spec << ", entry " << i << " of " << n;
      }
    }
}

}  // namespace natural_test
