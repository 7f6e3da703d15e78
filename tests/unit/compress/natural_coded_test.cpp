#include "harness.hpp"

#include <kaon/compress/natural_coded.hpp>
#include <kaon/compress/topk.hpp>

#include <cstring>

namespace natural_coded_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct NaturalCodedTest : ::testing::Test {};
TYPED_TEST_SUITE(NaturalCodedTest, Backends, BackendNames);

/// A harness around a compressor that is made by hand.
template <class T, class Exec>
Harness<T, Exec> around(std::unique_ptr<Compressor<T, Exec>> c) {
  Harness<T, Exec> h("natural", c->rows(), c->cols());
  h.buffer = Bytes<Exec>("kaon::test::payload", c->bytes_bound() + Harness<T, Exec>::guard);
  h.c = std::move(c);
  return h;
}
template <class T, class Exec>
Harness<T, Exec> coded(int rows, int cols, bool stochastic = false) {
  return around<T, Exec>(std::make_unique<NaturalCoded<T, Exec>>(rows, cols, stochastic));
}
template <class T, class Exec>
Harness<T, Exec> top(int rows, int cols, double fraction, bool stochastic = false) {
  auto const k = static_cast<int>(TopK<T, Exec>::count(fraction, rows, cols));
  return around<T, Exec>(
      std::make_unique<TopK<T, Exec>>(rows, cols, fraction, std::make_unique<NaturalCoded<T, Exec>>(1, k, stochastic)));
}

TYPED_TEST(NaturalCodedTest, DecodesToTheValuesOfNatural) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (bool const stochastic : {false, true})
    for (auto const& [name, x0] : inputs()) {
      auto const x = rounded<T>(x0);
      auto h = coded<T, Exec>(x.rows, x.cols, stochastic);
      Harness<T, Exec> plain(stochastic ? "natural:stochastic" : "natural", x.rows, x.cols);
      EXPECT_EQ(h.c->spec(), plain.c->spec() + ":coded");
      EXPECT_EQ(h.c->guaranteed_alpha(), plain.c->guaranteed_alpha());
      EXPECT_EQ(h.c->is_random(), stochastic);
      auto const bytes = h.compress(x), plain_bytes = plain.compress(x);
      EXPECT_LE(bytes.size(), plain_bytes.size() + 8) << name;
      auto const y = random_matrix(x.rows, x.cols, 90);
      EXPECT_EQ(h.decompress(bytes, y).a, plain.decompress(plain_bytes, y).a) << name;
    }
}

TYPED_TEST(NaturalCodedTest, InfinitiesAndNaNComeThroughAsInNatural) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto x = rounded<T>(random_matrix(40, 50, 91));
  x.a[3] = std::numeric_limits<double>::infinity(), x.a[70] = -x.a[3], x.a[100] = std::numeric_limits<double>::quiet_NaN();
  auto h = coded<T, Exec>(40, 50);
  Harness<T, Exec> plain("natural", 40, 50);
  EXPECT_EQ(h.apply(x).a, plain.apply(x).a);
}

TYPED_TEST(NaturalCodedTest, NormalNumbersTakeLessThanFourBits) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const x = random_matrix(512, 768, 92);
  auto const bits = [&](Harness<T, Exec> h) { return 8.0 * static_cast<double>(h.compress(x).size()) / (512 * 768); };
  double const nearest = bits(coded<T, Exec>(512, 768)), random = bits(coded<T, Exec>(512, 768, true));
  auto h = top<T, Exec>(512, 768, 0.15);
  double const all = bits(std::move(h)), indices = 0.15 * 4.07;
  std::printf(
      "seed 92: natural:coded %.4f, stochastic %.4f bits a value (plain 9); top 15 %% with it %.4f bits an entry, of them "
      "%.3f bits a kept value; 32 bits / %.4f = %.1f times smaller\n",
      nearest, random, all, (all - indices) / 0.15, all, 32 / all);
  EXPECT_LT(nearest, 3.7);  // entropy 3.54
  EXPECT_LT(random, 3.9);
  EXPECT_GT(32 / all, 25.0);
}

TYPED_TEST(NaturalCodedTest, ServesAsValuesOfTop) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (bool const stochastic : {false, true})
    for (auto const& [m, n] : {std::pair{80, 90}, {1, 1}, {1, 130}, {300, 411}})
      for (double const fraction : {0.15, 0.01, 1.0}) {
        auto const x = rounded<T>(random_matrix(m, n, 93));
        auto h = top<T, Exec>(m, n, fraction, stochastic);
        auto const name =
            TopK<T, Exec>(m, n, fraction,
                          make_compressor<T, Exec>("identity", 1, static_cast<int>(TopK<T, Exec>::count(fraction, m, n))))
                .spec() +
            (stochastic ? "+natural:stochastic" : "+natural");
        Harness<T, Exec> plain(name, m, n);
        EXPECT_EQ(h.c->spec(), name + ":coded");
        auto const bytes = h.compress(x);
        std::uint64_t values = 0;
        std::memcpy(&values, bytes.data(), sizeof values);
        EXPECT_EQ(values % 8, 0U);
        EXPECT_LT(values + 8, bytes.size());
        EXPECT_EQ(h.decompress(bytes, x).a, plain.decompress(plain.compress(x), x).a) << name;
      }
}

TYPED_TEST(NaturalCodedTest, ArbitraryBytesAreSafeAndImplausibleLengthsRefused) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  std::uint32_t trial = 0;
  for (auto const& [m, n] : {std::pair{37, 61}, {1, 1}, {1, 130}, {200, 3}, {60, 70}})
    for (int form = 0; form < 2; ++form)
      for (int kind = 0; kind < 6; ++kind) {
        auto h = form == 0 ? coded<T, Exec>(m, n) : top<T, Exec>(m, n, 0.3);
        StreamKey const key{401, Purpose::test, ++trial, 0, 0};
        auto bytes = h.compress(random_matrix(m, n, 94));
        for (std::size_t i = 0; i < bytes.size(); ++i) {
          if (kind == 0) bytes[i] = static_cast<unsigned char>(random_word(key, i));
          if (kind == 1) bytes[i] = 0xff;
          if (kind == 2) bytes[i] = 0;
          if (kind == 3 && random_word(key, i) % 16 == 0) bytes[i] ^= static_cast<unsigned char>(1U << (i % 8));
          if (kind == 4 && i < 8) bytes[i] = static_cast<unsigned char>(random_word(key, i));
          if (kind == 5 && i >= 8 && i < 32) bytes[i] = static_cast<unsigned char>(random_word(key, i));
        }
        h.decompress(bytes, random_matrix(m, n, 95));  // its guards are the test
        EXPECT_FALSE(h.c->plausible(0));
        EXPECT_FALSE(h.c->plausible(8));
        EXPECT_FALSE(h.c->plausible(bytes.size() - 1));
        EXPECT_FALSE(h.c->plausible(h.c->bytes_bound() + 8));
      }
}

TYPED_TEST(NaturalCodedTest, WritesTheSameBytesEveryTimeAndOnEveryHostBackend) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  if (!runs_on_host<Exec>) GTEST_SKIP() << "compares host backends";
  auto a = top<T, Exec>(210, 190, 0.2);
  auto b = top<T, Kokkos::DefaultHostExecutionSpace>(210, 190, 0.2);
#ifdef KOKKOS_ENABLE_SERIAL
  auto c = top<T, Kokkos::Serial>(210, 190, 0.2);
#endif
  for (std::uint64_t step = 0; step < 3; ++step) {
    auto const x = random_matrix(210, 190, 96 + step);
    auto const bytes = a.compress(x);
    EXPECT_EQ(bytes, a.compress(x));
    EXPECT_EQ(bytes, b.compress(x));
#ifdef KOKKOS_ENABLE_SERIAL
    EXPECT_EQ(bytes, c.compress(x));
#endif
  }
}

}  // namespace natural_coded_test
