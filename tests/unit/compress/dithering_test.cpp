#include "harness.hpp"

#include <kaon/codec/bits.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/compress/dithering.hpp>

#include <cstring>

namespace dithering_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct DitheringTest : ::testing::Test {};
TYPED_TEST_SUITE(DitheringTest, Backends, BackendNames);

/// The codes' c with their signs, from a payload of one block.
std::vector<int> codes(std::vector<unsigned char> const& bytes, int bits, std::size_t count) {
  std::vector<int> out;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t const bit = i * static_cast<std::size_t>(bits);
    int const code = (bytes[8 + bit / 8] >> (bit % 8)) & ((1 << bits) - 1), c = code & ((1 << (bits - 1)) - 1);
    out.push_back(code >> (bits - 1) ? -c : c);
  }
  return out;
}
float scale_of(std::vector<unsigned char> const& bytes) {
  std::uint16_t h = 0;
  std::memcpy(&h, bytes.data(), 2);
  return from_bf16(h);
}

TYPED_TEST(DitheringTest, RoundsToNeighboursWithoutBias) {
  using T = typename TypeParam::T;
  int const n = 64, draws = 4000;
  auto const x = rounded<T>(random_matrix(1, n, 81));
  double top = 0;
  for (double const a : x.a) top = std::max(top, std::fabs(a));
  for (int const bits : {2, 4, 8}) {
    double const step = top / ((1 << (bits - 1)) - 1);
    Harness<T, typename TypeParam::Exec> h("dither:" + std::to_string(bits), 1, n);
    std::vector<double> mean(n, 0.0);
    for (int t = 0; t < draws; ++t) {
      h.key.step = static_cast<std::uint32_t>(t);
      auto const c = codes(h.compress(x), bits, n);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_LE(std::fabs(c[i] * step - x.a[i]), step * (1 + 1e-6)) << bits << " bits, entry " << i;
        mean[i] += c[i] * step / draws;
      }
    }
    double worst = 0, sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double const t = std::fabs(x.a[i]) / step, f = t - std::floor(t);
      double const z = (mean[i] - x.a[i]) / (step * (std::sqrt(f * (1 - f) / draws) + 1e-6));
      worst = std::max(worst, std::fabs(z));
      sum += z;
    }
    std::printf("seed 81, %d bits: largest |z| %.2f of %d, mean z %.3f (limits 4.5, 0.6)\n", bits, worst, n, sum / n);
    EXPECT_LT(worst, 4.5);
    EXPECT_LT(std::fabs(sum / n), 0.6);
  }
}

TYPED_TEST(DitheringTest, ScaleIsTheLeastSquaresOneSoNoDrawExpands) {
  using T = typename TypeParam::T;
  for (int const bits : {2, 4, 8})
    for (std::uint32_t t = 0; t < 50; ++t) {
      auto x = random_matrix(1, 200, 100 + t);
      if (t % 2 == 1)
        for (auto& a : x.a) a = a * a * a * a * a;
      x = rounded<T>(x);
      Harness<T, typename TypeParam::Exec> h("dither:" + std::to_string(bits), 1, 200);
      h.key.step = t;
      auto const bytes = h.compress(x);
      auto const c = codes(bytes, bits, 200);
      double inner = 0, square = 0;
      for (std::size_t i = 0; i < 200; ++i) inner += c[i] * x.a[i], square += c[i] * c[i];
      ASSERT_NEAR(static_cast<double>(scale_of(bytes)), inner / square, inner / square / 255);
      EXPECT_GE(alpha(h.decompress(bytes, HostMatrix(1, 200)), x), 0) << bits << " bits, trial " << t;
    }
}

TYPED_TEST(DitheringTest, GuaranteeIsNearlyAttainedByItsWorstCase) {
  using T = typename TypeParam::T;
  // The docstring's extremal block: one entry of size s, the others at f = 1/(2(1 + ω)).
  for (int const bits : {2, 4, 8}) {
    double const s = (1 << (bits - 1)) - 1, omega = (std::sqrt(1 + 255 / (s * s)) - 1) / 2;
    HostMatrix x(1, 256);
    std::fill(x.a.begin(), x.a.end(), 1 / (2 * (1 + omega)));
    x.a[100] = s;
    x = rounded<T>(x);
    Harness<T, typename TypeParam::Exec> h("dither:" + std::to_string(bits), 1, 256);
    int const draws = 1000;
    double mean = 0;
    for (int t = 0; t < draws; ++t) {
      h.key.step = static_cast<std::uint32_t>(t);
      mean += alpha(h.apply(x), x) / draws;
    }
    std::printf("%d bits: alpha %.5f on the worst block, guaranteed %.5f = 1/(1 + %.4f)\n", bits, mean, h.c->guaranteed_alpha(),
                omega);
    EXPECT_GE(mean, h.c->guaranteed_alpha());
    EXPECT_LE(mean, h.c->guaranteed_alpha() * 1.05 + 0.01);
  }
}

TYPED_TEST(DitheringTest, GuaranteeFallsWithTheBlockAndRisesWithTheBits) {
  for (int const bits : {2, 4, 8}) {
    EXPECT_NEAR(dithering_alpha(bits, 1), 1, 2e-5);
    for (std::int64_t n = 64; n < 65536; n *= 2) EXPECT_GT(dithering_alpha(bits, n), dithering_alpha(bits, 2 * n));
    if (bits < 8) {
      EXPECT_GT(dithering_alpha(2 * bits, 256), dithering_alpha(bits, 256));
    }
  }
}

TYPED_TEST(DitheringTest, LayoutIsAsDocumented) {
  HostMatrix x(1, 4);
  x.a = {7, -7, 0, 3};  // multiples of the step: nothing is left to chance
  Harness<typename TypeParam::T, typename TypeParam::Exec> h("dither:4", 1, 4);
  auto const bytes = h.compress(x);
  std::vector<unsigned char> expected(16, 0);
  expected[0] = 0x80, expected[1] = 0x3f;  // bfloat16 of 1
  expected[8] = 0xf7, expected[9] = 0x30;
  EXPECT_EQ(bytes, expected);
  EXPECT_EQ(h.decompress(bytes, HostMatrix(1, 4)).a, x.a);
}

TYPED_TEST(DitheringTest, ANaNStaysInItsBlock) {
  Untrapped const untrapped;
  auto x = rounded<typename TypeParam::T>(random_matrix(3, 64, 82));
  x(1, 7) = std::numeric_limits<double>::quiet_NaN();
  Harness<typename TypeParam::T, typename TypeParam::Exec> h("dither:8:block=64", 3, 64);
  auto const c = h.apply(x);
  for (int j = 0; j < 64; ++j) {
    ASSERT_TRUE(std::isfinite(c(0, j)) && std::isfinite(c(2, j)));
    ASSERT_TRUE(std::isnan(c(1, j)));
  }
}

}  // namespace dithering_test
