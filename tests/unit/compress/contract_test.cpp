// What every compressor of the grammar promises.
#include "harness.hpp"

namespace contract_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct EveryCompressor : ::testing::Test {};
TYPED_TEST_SUITE(EveryCompressor, Backends, BackendNames);

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
      double const least_alpha = h.c->guaranteed_alpha();
      int const draws = h.c->is_random() ? 64 : 2;  // for the deterministic ones: two steps of the state
      double squares = 0;
      for (int step = 0; step < draws; ++step) {
        h.key.step = static_cast<std::uint32_t>(step);
        auto const c = h.apply(x);
        for (double const a : c.a) ASSERT_TRUE(std::isfinite(a)) << spec << " on " << name;
        double const a = alpha(c, x);
        mean += a / draws;
        squares += a * a / draws;
        if (!h.c->is_random()) {
          EXPECT_GE(a, least_alpha - rounding) << spec << " on " << name << " step " << step;
        }
        EXPECT_LE(a, 1.0);
      }
      // Five standard errors; a coin of the guaranteed probability where the sample shows less.
      double const variance = std::max(squares - mean * mean, least_alpha * (1 - least_alpha));
      EXPECT_GE(mean, least_alpha - (h.c->is_random() ? 5 * std::sqrt(variance / draws) : rounding)) << spec << " on " << name;
      if (mean - least_alpha < least - promised) least = mean, promised = least_alpha, where = name;
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
    double best = 0;
    for (h.key.step = 1; h.key.step < 40; ++h.key.step) best = std::max(best, alpha(h.apply(x), x));  // a dropout may drop many
    EXPECT_GT(best, 0.01) << spec << " after a zero";
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
  Untrapped const untrapped;
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

TYPED_TEST(EveryCompressor, DecodesEveryLengthThatItFindsPlausible) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Untrapped const untrapped;
  for (auto const& spec : all_specs()) {
    Harness<T, Exec> h(spec, 23, 9);
    int plausible = 0;
    for (std::size_t length = 0; length <= h.c->bytes_bound() + 64; ++length) {
      SCOPED_TRACE(spec + ", " + std::to_string(length) + " bytes");
      if (!h.c->plausible(length)) continue;
      ++plausible;
      std::vector<unsigned char> bytes(length);
      StreamKey const key{401, Purpose::test, static_cast<std::uint32_t>(length), 0, 0};
      for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<unsigned char>(random_word(key, i));
      h.decompress(bytes, random_matrix(23, 9, 83));
    }
    EXPECT_GE(plausible, 1) << spec;
    EXPECT_FALSE(h.c->plausible(h.c->bytes_bound() + 8)) << spec;
  }
}

/// Matrices at the ends of what a compressor meets.
std::vector<Named> extremes(int m, int n) {
  std::vector<Named> out;
  auto const add = [&](char const* name, double filling, double one) {
    HostMatrix x(m, n);
    std::fill(x.a.begin(), x.a.end(), filling);
    x.a[x.a.size() / 2] = one;
    out.push_back({name, x});
  };
  double const nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  add("zero", 0, 0), add("constant", 1.375, 1.375), add("one-hot", 0, -3), add("spike", 1e-3, 1e3);
  for (double const size : {1.0, 1e15, 1e-15}) {
    out.push_back({"normal", random_matrix(m, n, 90)});
    for (auto& a : out.back().x.a) a *= size;
  }
  add("a NaN", 1, nan), add("an infinity", -1, inf), add("nothing but NaN", nan, nan), add("the range's end", 3e38, -3e38);
  return out;
}

TYPED_TEST(EveryCompressor, HasItsSizeAndItsContractionOnOddShapesAndExtremeInputs) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Untrapped const untrapped;
  for (auto const& row : spec_rows()) {
    for (auto const& [m, n] : {std::pair{1, 1},
                               {1, 7},
                               {1, 64},
                               {1, 257},
                               {7, 1},
                               {64, 1},
                               {257, 1},
                               {2, 3},
                               {13, 17},
                               {31, 37},
                               {64, 64},
                               {63, 65},
                               {64, 128}}) {
      Harness<T, Exec> h(row.spec, m, n);
      auto const bound = row.bytes({static_cast<std::size_t>(m), static_cast<std::size_t>(n), sizeof(T)});
      EXPECT_EQ(h.c->bytes_bound(), bound) << row.spec << " of " << m << " x " << n;
      EXPECT_EQ(bound % 8, 0U) << row.spec;
      for (auto const& [name, wide] : extremes(m, n)) {
        auto const x = rounded<T>(wide);
        ++h.key.step;
        auto const bytes = h.compress(x);  // its guards watch the payload
        EXPECT_TRUE(row.length == Length::exact ? bytes.size() == bound : bytes.size() <= bound) << row.spec << " on " << name;
        auto const c = h.decompress(bytes, HostMatrix(m, n));  // its guards watch y
        if (!(squared(x) < 1e37)) {
          h.c->initialize_state(h.exec, h.state, StreamKey{99, Purpose::initialise, 0, 0, 0});
          continue;
        }
        double const a = alpha(c, x), rounding = sizeof(T) == 4 ? 2e-6 : 1e-13;
        EXPECT_GE(a, (h.c->is_random() ? 0 : h.c->guaranteed_alpha()) - rounding)
            << row.spec << " on " << name << ", " << m << " x " << n;
      }
    }
  }
}

/// What C is told decides the length, or nothing does: contents, extremes, state and key are tried on shapes of every kind.
TYPED_TEST(EveryCompressor, HasAFixedLengthIfAndOnlyIfItSaysSo) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Untrapped const untrapped;
  for (auto const& row : spec_rows()) {
    bool differs = false, fixed = false;
    for (auto const& [m, n] : {std::pair{1, 1}, {1, 257}, {64, 1}, {13, 17}, {63, 65}}) {
      Harness<T, Exec> h(row.spec, m, n);
      fixed = h.c->fixed_length();
      auto tried = extremes(m, n);
      for (std::uint64_t seed = 0; seed < 8; ++seed) tried.push_back({"normal", random_matrix(m, n, 500 + seed)});
      for (auto const& [name, x] : tried) {
        ++h.key.step;
        bool const other = h.compress(x).size() != h.c->bytes_bound();
        EXPECT_FALSE(fixed && other) << row.spec << " says that its length is fixed; not on " << name << ", " << m << " x " << n;
        differs = differs || other;
        if (!(squared(x) < 1e37)) h.c->initialize_state(h.exec, h.state, StreamKey{99, Purpose::initialise, 0, 0, 0});
      }
    }
    if (row.spec != "top:1+bits:8") {  // all indices, so one code of them: not fixed is what top says of every fraction
      EXPECT_EQ(differs, !fixed) << row.spec << " says that its length varies: it never did";
    }
    EXPECT_EQ(fixed, row.length == Length::exact) << row.spec;
  }
}

TYPED_TEST(EveryCompressor, DrawsFromTheKeyIfAndOnlyIfItSaysSo) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const x = rounded<T>(random_matrix(40, 30, 84));
  for (auto const& spec : all_specs()) {
    bool differs[5] = {false, false, false, false, false};
    Harness<T, Exec> h(spec, 40, 30);
    if (h.c->state_shape().second > 0 && !h.c->is_random()) continue;  // refills are drawn, but never of a full-rank x
    auto const state = to_host(h.state);
    auto const bytes = [&](StreamKey const& key) {
      Kokkos::deep_copy(h.state, to_device<T, Exec>(state));
      h.key = key;
      return h.compress(x);
    };
    StreamKey const key{77, Purpose::compress_up, 5, 3, 2};
    auto const first = bytes(key);
    EXPECT_EQ(bytes(key), first) << spec;
    auto const all = [&] { return std::all_of(std::begin(differs), std::end(differs), [](bool d) { return d; }); };
    // A coin of probability 0.8 falls alike 40 times with probability 1e-4; who draws nothing shows it in 8.
    for (std::uint32_t d = 1; d <= (h.c->is_random() ? 40U : 8U) && !all(); ++d) {
      StreamKey k[5] = {key, key, key, key, key};
      k[0].seed += d, k[1].step += d, k[2].layer += d, k[3].worker += d;
      k[4].purpose = Purpose::compress_down, k[4].step += 1000 * (d - 1);
      for (int i = 0; i < 5; ++i) differs[i] = differs[i] || bytes(k[i]) != first;
    }
    for (bool const d : differs) EXPECT_EQ(d, h.c->is_random()) << spec;
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

}  // namespace contract_test
