// What every compressor of the grammar promises.
#include "harness.hpp"

namespace {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct EveryCompressor : ::testing::Test {};
TYPED_TEST_SUITE(EveryCompressor, Backends);

TYPED_TEST(EveryCompressor, ContractsAtLeastAsGuaranteed) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  double const rounding = sizeof(T) == 4 ? 1e-6 : 1e-14;
  for (auto const& spec : all_specs()) {
    double least = 2, promised = 0;
    std::string where;
    for (auto const& [name, x0] : inputs()) {
      auto const x = rounded<T>(x0);
      Harness<T, Exec> h(spec, x.rows, x.cols);
      double mean = 0;
      int const draws = h.c->is_random() ? 8 : 2;  // for the deterministic ones: two steps of the state
      for (int step = 0; step < draws; ++step) {
        h.key.step = static_cast<std::uint32_t>(step);
        auto const c = h.apply(x);
        for (double const a : c.a) ASSERT_TRUE(std::isfinite(a)) << spec << " on " << name;
        double const a = alpha(c, x);
        mean += a / draws;
        if (!h.c->is_random()) {
          EXPECT_GE(a, h.c->guaranteed_alpha() - rounding) << spec << " on " << name << " step " << step;
        }
        EXPECT_LE(a, 1.0);
      }
      double const noise = h.c->is_random() ? 0.5 / std::sqrt(static_cast<double>(x.a.size())) : rounding;
      EXPECT_GE(mean, h.c->guaranteed_alpha() - noise) << spec << " on " << name;
      if (mean - h.c->guaranteed_alpha() < least - promised) least = mean, promised = h.c->guaranteed_alpha(), where = name;
    }
    std::printf("%-28s closest to its guarantee: alpha %.6f >= %.6f (%s)\n", spec.c_str(), least, promised, where.c_str());
  }
}

TYPED_TEST(EveryCompressor, SendsZeroAsZeroAndKeepsGoing) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (auto const& spec : all_specs()) {
    Harness<T, Exec> h(spec, 24, 36);
    auto const c = h.apply(HostMatrix(24, 36));
    for (double const a : c.a) ASSERT_EQ(a, 0.0) << spec;
    auto const x = rounded<T>(random_matrix(24, 36, 55));
    h.apply(x);
    EXPECT_GT(alpha(h.apply(x), x), 0.01) << spec << " after a zero";
  }
}

TYPED_TEST(EveryCompressor, AddsToWhatIsThereUnlessItReplaces) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const x = rounded<T>(random_matrix(19, 31, 60)), y = rounded<T>(random_matrix(19, 31, 61));
  for (auto const& spec : all_specs()) {
    Harness<T, Exec> h(spec, 19, 31);
    auto const bytes = h.compress(x);
    auto const c = h.decompress(bytes, HostMatrix(19, 31)), sum = h.decompress(bytes, y);
    double const tolerance = sizeof(T) == 4 ? 4e-6 : 1e-14;
    for (std::size_t i = 0; i < x.a.size(); ++i)
      ASSERT_NEAR(sum.a[i], h.c->replaces() ? x.a[i] : y.a[i] + c.a[i], h.c->replaces() ? 0.0 : tolerance) << spec;
    EXPECT_EQ(h.c->replaces(), spec == "identity");
  }
}

TYPED_TEST(EveryCompressor, WritesTheSameBytesEveryTimeAndOnEveryHostBackend) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  if (!runs_on_host<Exec>) GTEST_SKIP() << "sums on devices have an order of their own";
  for (auto const& spec : all_specs()) {
    Harness<T, Exec> a(spec, 150, 90), again(spec, 150, 90);
    Harness<T, Kokkos::DefaultHostExecutionSpace> b(spec, 150, 90);
    for (std::uint64_t step = 0; step < 3; ++step) {
      auto const x = random_matrix(150, 90, 70 + step);
      auto const first = a.compress(x);
      EXPECT_EQ(first, again.compress(x)) << spec << " step " << step;
      EXPECT_EQ(first, b.compress(x)) << spec << " step " << step;
      auto const y = a.decompress(first, x), z = b.decompress(first, x);
      EXPECT_EQ(y.a, z.a) << spec;
    }
  }
}

TYPED_TEST(EveryCompressor, DecodesArbitraryBytesWithinBounds) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (auto const& spec : all_specs()) {
    std::uint32_t trial = 0;
    for (auto const& [m, n] : {std::pair{37, 61}, {1, 1}, {1, 130}, {200, 3}})
      for (int kind = 0; kind < 4; ++kind) {
        Harness<T, Exec> h(spec, m, n);
        StreamKey const key{400, Purpose::test, ++trial, 0, 0};
        auto bytes = h.compress(random_matrix(m, n, 80));
        for (std::size_t i = 0; i < bytes.size(); ++i) {
          if (kind == 0) bytes[i] = static_cast<unsigned char>(random_word(key, i));
          if (kind == 1) bytes[i] = 0xff;
          if (kind == 2) bytes[i] = 0;
          if (kind == 3 && random_word(key, i) % 16 == 0) bytes[i] ^= static_cast<unsigned char>(1U << (i % 8));
        }
        h.decompress(bytes, random_matrix(m, n, 81));  // its guards are the test
      }
  }
}

TYPED_TEST(EveryCompressor, RefusesImplausibleLengthsAndWrongShapes) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (auto const& spec : all_specs()) {
    Harness<T, Exec> h(spec, 30, 20);
    auto const bytes = h.compress(random_matrix(30, 20, 82));
    EXPECT_FALSE(h.c->plausible(0)) << spec;
    EXPECT_FALSE(h.c->plausible(bytes.size() - 1)) << spec;
    EXPECT_FALSE(h.c->plausible(h.c->bytes_bound() + 8)) << spec;
    EXPECT_THROW(h.decompress(std::vector<unsigned char>(h.c->bytes_bound() + 8), HostMatrix(30, 20)), InputError) << spec;
    EXPECT_THROW(h.decompress(bytes, HostMatrix(20, 30)), std::invalid_argument) << spec;
    EXPECT_THROW(h.compress(HostMatrix(20, 30)), std::invalid_argument) << spec;
  }
}

}  // namespace
