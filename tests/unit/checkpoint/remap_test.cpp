// From n workers to N: weights of overlap, the mean kept, bits kept where nothing is mixed.
#include <kaon/checkpoint/remap.hpp>
#include <kaon/random/stream.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <numeric>

namespace {

using namespace kaon;
using remap::Source;
constexpr std::size_t size = 257;

/// Slabs of n workers that differ in size and sign.
template <class T>
std::vector<T> slabs(std::uint64_t n) {
  std::vector<T> out(n * size);
  StreamKey const key{20261124, Purpose::test, 0, 0, 0};
  for (std::size_t e = 0; e < out.size(); ++e)
    out[e] = static_cast<T>((random_word(key, e) / 4294967296.0 - 0.5) * std::pow(10.0, static_cast<double>(e % 7) - 3.0));
  return out;
}

template <class T>
bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

TEST(Remap, WeightsAreTheOverlapsOfTheUnitInterval) {
  EXPECT_EQ(remap::sources_of(0, 4, 3), (std::vector<Source>{{0, 3}, {1, 1}}));
  EXPECT_EQ(remap::sources_of(1, 4, 3), (std::vector<Source>{{1, 2}, {2, 2}}));
  EXPECT_EQ(remap::sources_of(2, 4, 3), (std::vector<Source>{{2, 1}, {3, 3}}));
  EXPECT_EQ(remap::sources_of(5, 3, 6), (std::vector<Source>{{2, 1}}));
  EXPECT_EQ(remap::sources_of(0, 4, 2), (std::vector<Source>{{0, 1}, {1, 1}}));
  for (std::uint64_t n = 1; n <= 12; ++n)
    for (std::uint64_t N = 1; N <= 12; ++N) {
      std::vector<std::uint64_t> given(n, 0);
      for (std::uint64_t i = 0; i < N; ++i) {
        std::uint64_t taken = 0;
        for (auto const& s : remap::sources_of(i, n, N)) {
          double const l = std::max(double(i) / N, double(s.worker) / n), r = std::min((i + 1.0) / N, (s.worker + 1.0) / n);
          EXPECT_NEAR(double(s.weight) / double(std::lcm(n, N)), r - l, 1e-15) << i << ' ' << n << ' ' << N;
          EXPECT_GT(s.weight, 0u);
          taken += s.weight;
          given[s.worker] += s.weight;
        }
        EXPECT_EQ(taken, n / std::gcd(n, N));
      }
      for (auto g : given) EXPECT_EQ(g, N / std::gcd(n, N)) << "every old worker gives all that it has: " << n << " to " << N;
    }
}

TEST(Remap, TheClosestIsTheLargestOverlapAndTheLowestOfEquals) {
  EXPECT_EQ(remap::closest_to(0, 4, 3), 0u);
  EXPECT_EQ(remap::closest_to(1, 4, 3), 1u);
  EXPECT_EQ(remap::closest_to(2, 4, 3), 3u);
  EXPECT_EQ(remap::closest_to(0, 4, 1), 0u);
  EXPECT_EQ(remap::closest_to(3, 2, 4), 1u);
  std::vector<unsigned char> const four{10, 11, 20, 21, 30, 31, 40, 41};
  EXPECT_EQ(remap::copied(four, 4, 3), (std::vector<unsigned char>{10, 11, 20, 21, 40, 41}));
}

template <class T>
void mean_is_kept(std::uint64_t n, std::uint64_t N) {
  auto const old = slabs<T>(n), fresh = remap::weighted(old, n, N);
  ASSERT_EQ(fresh.size(), N * size);
  double worst = 0;
  for (std::size_t e = 0; e < size; ++e) {
    long double a = 0, b = 0, scale = 0;
    for (std::uint64_t j = 0; j < n; ++j) {
      a += old[j * size + e];
      scale = std::max<long double>(scale, std::abs(old[j * size + e]));
    }
    for (std::uint64_t i = 0; i < N; ++i) b += fresh[i * size + e];
    worst = std::max(worst, static_cast<double>(std::abs(a / n - b / N) / scale));
  }
  std::printf("%llu -> %llu workers: the mean moves by %.1e of the largest value\n", static_cast<unsigned long long>(n),
              static_cast<unsigned long long>(N), worst);
  // Each new value is rounded once; in double the sum is rounded as well.
  EXPECT_LE(worst, (sizeof(T) == 4 ? 0.5 : 4.0) * std::numeric_limits<T>::epsilon()) << n << ' ' << N;
}

TEST(Remap, TheMeanIsKeptToOneRounding) {
  for (auto const& [n, N] : {std::pair{4, 2}, {2, 4}, {4, 3}, {3, 5}, {1, 4}, {7, 1}, {5, 11}}) {
    mean_is_kept<float>(n, N);
    mean_is_kept<double>(n, N);
  }
}

TEST(Remap, ToAMultipleAndBackGivesTheSameBits) {
  for (std::uint64_t n : {1, 2, 3, 5})
    for (std::uint64_t k : {2, 3, 7}) {
      auto const old = slabs<float>(n);
      auto const more = remap::weighted(old, n, k * n);
      for (std::uint64_t i = 0; i < k * n; ++i)
        EXPECT_EQ(std::memcmp(&more[i * size], &old[i / k * size], size * sizeof(float)), 0) << "copies, worker " << i;
      EXPECT_TRUE(same_bits(remap::weighted(more, k * n, n), old)) << n << " times " << k;
    }
  auto const old = slabs<double>(3);
  EXPECT_TRUE(same_bits(remap::weighted(remap::weighted(old, 3, 12), 12, 3), old));
}

TEST(Remap, NegativeZerosStayAndTheMeanIsThatOfOne) {
  std::vector<float> const zeros{-0.0f, 0.0f, -0.0f, 0.0f};
  EXPECT_TRUE(same_bits(remap::weighted(zeros, 2, 1), {-0.0f, 0.0f}));
  std::vector<float> const v{1, 2, 4, 8};
  EXPECT_EQ(remap::mean(v, 2), (std::vector<float>{2.5f, 5.0f}));
}

TEST(Remap, DistanceFromTheMeanIsRelativeToTheLargestWorker) {
  std::vector<double> const v{3, 4, 0, 0};  // norms 5 and 0, mean (1.5, 2)
  EXPECT_EQ(remap::distance_from_mean<double>({1.5, 2}, v, 2), 0);
  EXPECT_DOUBLE_EQ(remap::distance_from_mean<double>({1.5, 2.5}, v, 2), 0.1);
  EXPECT_DOUBLE_EQ(remap::distance_from_mean<double>({0, 0.25}, {0, 0, 0, 0}, 2), 0.25);
}

}  // namespace
