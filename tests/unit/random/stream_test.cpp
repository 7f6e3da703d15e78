#include <kaon/random/stream.hpp>
#include <kaon/support/backends.hpp>

#include <cmath>
#include <set>

namespace kaon {
namespace stream_test {

StreamKey const key{20261121, Purpose::test, 3, 5, 7};

TEST(Stream, IsAFunctionOfKeyAndPositionOnly) {
  std::set<std::uint32_t> seen;
  for (std::uint64_t i = 0; i < 4096; ++i) {
    EXPECT_EQ(random_word(key, i), random_words(key, static_cast<std::uint32_t>(i / 4)).v[i % 4]);
    seen.insert(random_word(key, i));
  }
  EXPECT_GT(seen.size(), 4090u);
}

TEST(Stream, EveryPartOfTheKeyMatters) {
  std::set<std::uint32_t> first;
  first.insert(random_word(key, 0));
  auto k = key;
  k.seed ^= 1, first.insert(random_word(k, 0));
  k = key, k.seed ^= std::uint64_t(1) << 40, first.insert(random_word(k, 0));
  k = key, k.purpose = Purpose::batch, first.insert(random_word(k, 0));
  k = key, ++k.step, first.insert(random_word(k, 0));
  k = key, ++k.layer, first.insert(random_word(k, 0));
  k = key, ++k.worker, first.insert(random_word(k, 0));
  EXPECT_EQ(first.size(), 7u);
}

TEST(Stream, PhiloxKnownAnswer) {
  // Salmon et al., Random123's known-answer table: philox4x32-10 with counter and key zero.
  StreamKey zero{0, static_cast<Purpose>(0), 0, 0, 0};
  Words const w = random_words(zero, 0);
  EXPECT_EQ(w.v[0], 0x6627e8d5u);
  EXPECT_EQ(w.v[1], 0xe169c58du);
  EXPECT_EQ(w.v[2], 0xbc57ac4cu);
  EXPECT_EQ(w.v[3], 0x9b00dbd8u);
}

TEST(Stream, UniformAndNormalMoments) {
  int const n = 1 << 18;
  double mean = 0, square = 0, uniform = 0, low = 1, high = 0;
  for (int i = 0; i < n; ++i) {
    double const u = random_uniform(key, static_cast<std::uint64_t>(i));
    double const z = random_normal(key, static_cast<std::uint64_t>(i));
    uniform += u / n, mean += z / n, square += z * z / n;
    low = std::min(low, u), high = std::max(high, u);
  }
  double const sigma = 1 / std::sqrt(double(n));
  std::printf("seed %llu: uniform mean %.5f, normal mean %.5f, variance %.5f (5 sigma: %.5f)\n",
              static_cast<unsigned long long>(key.seed), uniform, mean, square, 5 * sigma);
  EXPECT_NEAR(uniform, 0.5, 5 * sigma * 0.2887);
  EXPECT_NEAR(mean, 0, 5 * sigma);
  EXPECT_NEAR(square, 1, 5 * sigma * std::sqrt(2.0));
  EXPECT_GT(low, 0);
  EXPECT_LT(high, 1);
}

template <class Exec>
struct WriteWords {
  Vector<std::uint32_t, Exec> words;
  StreamKey key;
  KOKKOS_FUNCTION void operator()(int const i) const { words(i) = random_word(key, static_cast<std::uint64_t>(i)); }
};

template <class B>
struct StreamOnDevice : ::testing::Test {};
TYPED_TEST_SUITE(StreamOnDevice, test::Backends, test::BackendNames);

TYPED_TEST(StreamOnDevice, GivesTheHostsWords) {
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  Vector<std::uint32_t, Exec> words("kaon::test::words", 1000);
  Kokkos::parallel_for("kaon::test::words", Kokkos::RangePolicy<Exec>(exec, 0, 1000), WriteWords<Exec>{words, key});
  exec.fence();
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, words);
  for (std::uint64_t i = 0; i < 1000; ++i) ASSERT_EQ(host(i), random_word(key, i));
}

}  // namespace stream_test
}  // namespace kaon
