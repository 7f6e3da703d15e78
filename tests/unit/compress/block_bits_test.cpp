#include <kaon/support/traps.hpp>
#include "harness.hpp"

#include <kaon/codec/bits.hpp>
#include <kaon/compress/block_bits.hpp>

namespace block_bits_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct BlockBitsTest : ::testing::Test {};
TYPED_TEST_SUITE(BlockBitsTest, Backends, BackendNames);

/// C(x) serially, from the definition in block_bits.hpp: levels chosen in float, sums in fp64, the scale rounded to bfloat16.
std::vector<double> reference(std::vector<double> const& x, int bits, std::size_t block) {
  std::vector<double> out(x.size());
  for (std::size_t begin = 0; begin < x.size(); begin += block) {
    std::size_t const end = std::min(x.size(), begin + block);
    double square = 0, top = 0;
    for (std::size_t i = begin; i < end; ++i) square += x[i] * x[i], top = std::max(top, std::fabs(x[i]));
    double const rms = std::sqrt(square / static_cast<double>(end - begin));
    float const half = std::ldexp(1.0F, bits - 1), steps = half * (1 - std::ldexp(1.0F, -22)) / static_cast<float>(top);
    auto const level = [&](double v) {
      double q = 1;
      if (bits == 2) q = static_cast<double>(std::fabs(v) > static_cast<double>(0.9816F) * rms ? 1.510F : 0.4528F);
      if (bits > 2) q = (top > 0 ? std::floor(static_cast<double>(static_cast<float>(std::fabs(v)) * steps)) : 0) + 0.5;
      return v < 0 ? -q : q;
    };
    double inner = 0, norm = 0;
    for (std::size_t i = begin; i < end; ++i) inner += x[i] * level(x[i]), norm += level(x[i]) * level(x[i]);
    float const scale = from_bf16(to_bf16(static_cast<float>(inner / norm)));
    for (std::size_t i = begin; i < end; ++i) out[i] = static_cast<double>(scale * static_cast<float>(level(x[i])));
  }
  return out;
}

TYPED_TEST(BlockBitsTest, EqualsTheSerialReferenceExactly) {
  kaon::test::Untrapped const untrapped;
  using T = typename TypeParam::T;
  std::vector<Named> cases = inputs();
  cases.push_back({"several blocks", random_matrix(61, 37, 21)});
  for (int n : {2, 31, 63, 64, 65, 96, 127, 129, 255, 257, 319, 1100}) {
    auto x = random_matrix(1, n, 25);
    x(0, n / 2) = -0.0, x(0, n - 1) = 0;
    cases.push_back({std::to_string(n) + " values", x});
  }
  for (int bits : {1, 2, 4, 8})
    for (int block : {64, 256})
      for (auto& [name, x0] : cases) {
        // The compressor works on values of float: give double the same.
        auto const x = rounded<float>(x0);
        Harness<T, typename TypeParam::Exec> h("bits:" + std::to_string(bits) + ":block=" + std::to_string(block), x.rows,
                                               x.cols);
        auto const c = h.apply(x);
        auto const expected = reference(x.a, bits, static_cast<std::size_t>(block));
        for (std::size_t i = 0; i < x.a.size(); ++i)
          ASSERT_EQ(c.a[i], expected[i]) << bits << " bits, block " << block << ", " << name << " entry " << i << " = " << x.a[i];
      }
}

TYPED_TEST(BlockBitsTest, LargeBlocksEqualTheReferenceToo) {
  using T = typename TypeParam::T;
  auto const x = rounded<float>(random_matrix(3, 24001, 26));
  for (int bits : {1, 2, 4, 8})
    for (int block : {1024, 1088, 65536}) {
      Harness<T, typename TypeParam::Exec> h("bits:" + std::to_string(bits) + ":block=" + std::to_string(block), x.rows, x.cols);
      EXPECT_EQ(h.apply(x).a, reference(x.a, bits, static_cast<std::size_t>(block))) << bits << " bits, block " << block;
    }
}

TYPED_TEST(BlockBitsTest, SignsOfZerosAreDroppedAndCodesOfZeroBlocksAreZero) {
  using T = typename TypeParam::T;
  for (char const* spec : {"bits:1", "bits:2", "bits:4", "bits:8"}) {
    HostMatrix zero(1, 300), minus(1, 300);
    for (auto& v : minus.a) v = -0.0;
    Harness<T, typename TypeParam::Exec> h(spec, 1, 300);
    auto const bytes = h.compress(minus);
    EXPECT_EQ(bytes, h.compress(zero)) << spec;
    EXPECT_EQ(bytes, std::vector<unsigned char>(bytes.size(), 0)) << spec;
    minus(0, 5) = zero(0, 5) = 3;
    EXPECT_EQ(h.compress(minus), h.compress(zero)) << spec;
  }
}

TYPED_TEST(BlockBitsTest, AScaleNearTheLargestFloatDecodesClamped) {
  using T = typename TypeParam::T;
  // Nearly all values just under the threshold of 2 bits: γ·low is theirs, γ·high is beyond FLT_MAX.
  double const most = static_cast<double>(std::numeric_limits<float>::max());
  HostMatrix x(1, 256);
  for (int j = 0; j < 256; ++j) x(0, j) = (j % 2 == 0 ? -1 : 1) * (j < 12 ? 1.0 : 0.745) * most;
  x = rounded<float>(x);
  Harness<T, typename TypeParam::Exec> h("bits:2", 1, 256);
  auto const c = h.apply(x);
  for (int j = 0; j < 256; ++j) {
    ASSERT_LE(std::fabs(c(0, j)), most);
    ASSERT_EQ(std::signbit(c(0, j)), std::signbit(x(0, j)));
  }
}

TYPED_TEST(BlockBitsTest, ContractsOnAdversaries) {
  using T = typename TypeParam::T;
  // A row is a block: a few large entries, the others zero or just beyond a threshold, where rounding errs most.
  int const trials = 300, n = 256;
  HostMatrix x(trials, n);
  StreamKey const key{31, Purpose::test, 0, 0, 0};
  for (int t = 0; t < trials; ++t)
    for (int i = 0; i < n; ++i) {
      double const low = t % 3 == 0 ? 0.0 : std::ldexp(1.0, -(t % 11)) * 1.001;
      x(t, i) = i < 1 + t % 40 ? 1 + 0.2 * random_normal(key, static_cast<std::uint64_t>(t * n + i)) * (t % 2) : low;
    }
  x = rounded<T>(x);
  for (int bits : {1, 2, 4, 8}) {
    Harness<T, typename TypeParam::Exec> h("bits:" + std::to_string(bits), trials, n);
    auto const c = h.apply(x);
    double least = 2;
    for (int t = 0; t < trials; ++t) {
      double error = 0, all = 0;
      for (int i = 0; i < n; ++i) error += (c(t, i) - x(t, i)) * (c(t, i) - x(t, i)), all += x(t, i) * x(t, i);
      ASSERT_GE(1 - error / all, h.c->guaranteed_alpha()) << bits << " bits, trial " << t;
      least = std::min(least, 1 - error / all);
    }
    std::printf("seed 31, %d bits: least alpha of %d adversaries %.5f, guaranteed %.5f\n", bits, trials, least,
                h.c->guaranteed_alpha());
  }
}

TYPED_TEST(BlockBitsTest, GaussianContractionIsTheKnownOne) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(random_matrix(300, 256, 22));
  // 2/pi for the sign; Lloyd and Max (Max 1960, table I): 1 - 0.1175 for four levels.
  for (auto const& [spec, expected, tolerance] : {std::tuple{"bits:1", 2 / M_PI, 0.005},
                                                  {"bits:2", 1 - 0.1175, 0.005},
                                                  {"bits:4", 0.984, 0.006},
                                                  {"bits:8", 0.99994, 0.00005}}) {
    Harness<T, typename TypeParam::Exec> h(spec, 300, 256);
    double const a = alpha(h.apply(x), x);
    std::printf("seed 22: %s on a Gaussian: alpha %.5f, expected %.5f +- %.5f\n", spec, a, expected, tolerance);
    EXPECT_NEAR(a, expected, tolerance);
  }
}

TYPED_TEST(BlockBitsTest, BlocksOfZerosStayZeroAmongOthers) {
  using T = typename TypeParam::T;
  auto x = random_matrix(4, 256, 23);
  for (int j = 0; j < 256; ++j) x(2, j) = 0;
  for (char const* spec : {"bits:1", "bits:2", "bits:4", "bits:8"}) {
    Harness<T, typename TypeParam::Exec> h(spec, 4, 256);
    auto const c = h.apply(x);
    for (int j = 0; j < 256; ++j) {
      ASSERT_EQ(c(2, j), 0.0);
      ASSERT_NE(c(1, j), 0.0);
    }
  }
}

TYPED_TEST(BlockBitsTest, WholeFloatRangeDecodesFinite) {
  using T = typename TypeParam::T;
  for (char const* spec : {"bits:1", "bits:2", "bits:4", "bits:8"})
    for (double scale : {3.4e38, 1e30, 1e-30, 1e-37, 1e-40, 1.4e-45, 1e300, 1e-300}) {
      if (sizeof(T) == 4 && (scale > 1e39 || scale < 1e-46)) continue;
      HostMatrix x(2, 128);
      for (std::size_t i = 0; i < x.a.size(); ++i) x.a[i] = (i % 2 == 0 ? -scale : scale) * (i % 3 == 0 ? 0.5 : 1.0);
      x = rounded<T>(x);
      Harness<T, typename TypeParam::Exec> h(spec, 2, 128);
      auto const c = h.apply(x);
      for (double const v : c.a) ASSERT_TRUE(std::isfinite(v)) << spec << " at " << scale;
      HostMatrix a = x, b = c;  // compared in units of the scale: squares of 1e300 overflow
      for (auto& v : a.a) v /= scale;
      for (auto& v : b.a) v /= scale;
      ASSERT_GE(alpha(b, a), scale > 1e-36 && scale < 1e38 ? h.c->guaranteed_alpha() : -1e-9) << spec << " at " << scale;
    }
}

TYPED_TEST(BlockBitsTest, NotANumberSpoilsItsBlockAndNoOther) {
  using T = typename TypeParam::T;
  for (double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (char const* spec : {"bits:1", "bits:2", "bits:4", "bits:8"}) {
      auto x = random_matrix(3, 256, 24);
      x(1, 17) = bad;
      Harness<T, typename TypeParam::Exec> h(spec, 3, 256);
      auto const c = h.apply(x);
      for (int j = 0; j < 256; ++j) {
        ASSERT_TRUE(std::isnan(c(1, j))) << spec;
        ASSERT_TRUE(std::isfinite(c(0, j)) && std::isfinite(c(2, j))) << spec;
      }
    }
}

TYPED_TEST(BlockBitsTest, LayoutIsAsDocumented) {
  HostMatrix x(1, 3);
  x.a = {2.0, -2.0, 2.0};
  Harness<typename TypeParam::T, typename TypeParam::Exec> one("bits:1", 1, 3), four("bits:4", 1, 3);
  std::vector<unsigned char> expected(16, 0);
  expected[1] = 0x40;  // 2.0 in bfloat16 is 0x4000
  expected[8] = 0b010;
  EXPECT_EQ(one.compress(x), expected);
  std::uint16_t const scale = to_bf16(static_cast<float>(2.0 / 7.5));
  expected[0] = static_cast<unsigned char>(scale & 0xff), expected[1] = static_cast<unsigned char>(scale >> 8);
  expected[8] = 0xf7, expected[9] = 0x07;
  EXPECT_EQ(four.compress(x), expected);
}

}  // namespace block_bits_test
