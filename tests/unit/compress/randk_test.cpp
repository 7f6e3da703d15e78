#include "harness.hpp"

#include <kaon/compress/permutation.hpp>

#include <cstring>
#include <map>

namespace randk_test {

using namespace kaon;
using namespace kaon::test;

Permutation drawn(std::int64_t n, std::uint64_t seed) {
  auto p = Permutation::of_size(n);
  p.seed(seed);
  return p;
}
std::uint64_t word(std::uint64_t i) {
  StreamKey const key{21, Purpose::test, 0, 0, 0};
  return random_word(key, 2 * i) | static_cast<std::uint64_t>(random_word(key, 2 * i + 1)) << 32;
}

TEST(PermutationTest, IsABijectionOfEverySize) {
  for (std::uint32_t const n : {1U, 2U, 3U, 5U, 31U, 64U, 1000U, 1023U, 1024U, 1025U, 65536U, 100003U, 1000000U})
    for (std::uint64_t t = 0; t < (n < 2000 ? 50U : 3U); ++t) {
      auto const p = drawn(n, t == 0 ? 0 : word(t));
      std::vector<bool> seen(n, false);
      for (std::uint32_t i = 0; i < n; ++i) {
        std::uint32_t const j = p(i);
        ASSERT_TRUE(j < n && !seen[j]) << "n " << n << " trial " << t << " i " << i;
        seen[j] = true;
      }
    }
  auto const top = drawn((std::int64_t{1} << 31) - 1, 7);
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_LT(top(2147483646U - i), 2147483647U);
}

TEST(PermutationTest, EverySubsetIsEquallyLikely) {
  int const draws = 100000;
  for (auto const& [n, k] : {std::pair{3, 1}, {4, 2}, {5, 2}, {6, 3}, {9, 3}, {16, 2}, {64, 1}}) {
    std::map<std::vector<std::uint32_t>, int> seen;
    for (int t = 0; t < draws; ++t) {
      auto const p = drawn(n, word(static_cast<std::uint64_t>(t)));
      std::vector<std::uint32_t> subset;
      for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(k); ++i) subset.push_back(p(i));
      std::sort(subset.begin(), subset.end());
      ++seen[subset];
    }
    double subsets = 1;
    for (int i = 0; i < k; ++i) subsets = subsets * (n - i) / (i + 1);
    double const expected = draws / subsets;
    double chi2 = (subsets - static_cast<double>(seen.size())) * expected;
    for (auto const& [subset, count] : seen) chi2 += (count - expected) * (count - expected) / expected;
    double const z = (chi2 - (subsets - 1)) / std::sqrt(2 * (subsets - 1));
    std::printf("seed 21: %d of %d: chi2 %.1f at %.0f degrees of freedom, z %.2f (limit 5)\n", k, n, chi2, subsets - 1, z);
    EXPECT_LT(z, 5) << k << " of " << n;
  }
}

// From a twin in Python: part of the payload format.
TEST(PermutationTest, KnowsItsNumbersOnEveryMachine) {
  auto const p = drawn(1000003, 0x0123456789abcdefULL);
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) sum = sum * 31 + p(i);
  EXPECT_EQ(p(0), 625848U);
  EXPECT_EQ(sum, 9775999497824940014ULL);
}

template <class B>
struct RandKTest : ::testing::Test {};
TYPED_TEST_SUITE(RandKTest, Backends, BackendNames);

TYPED_TEST(RandKTest, SendsTheSeedAndTheValuesOfItsSubset) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(random_matrix(37, 41, 22));
  Harness<T, typename TypeParam::Exec> h("rand:0.2", 37, 41);
  auto const bytes = h.compress(x);
  std::size_t const kept = 303;  // ⌊0.2 · 1517⌋
  ASSERT_EQ(bytes.size(), 8 + (kept * sizeof(T) + 7) / 8 * 8);
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), 8);
  auto const p = drawn(37 * 41, seed);
  std::vector<double> expected(x.a.size(), 0.0);
  for (std::uint32_t i = 0; i < kept; ++i) {
    T value{};
    std::memcpy(&value, bytes.data() + 8 + i * sizeof(T), sizeof(T));
    ASSERT_EQ(static_cast<double>(value), x.a[p(i)]) << i;
    expected[p(i)] = x.a[p(i)];
  }
  EXPECT_EQ(h.decompress(bytes, HostMatrix(37, 41)).a, expected);
}

TYPED_TEST(RandKTest, ValuesPassThroughTheirOwnCompressor) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const x = rounded<T>(random_matrix(30, 40, 23));
  for (std::string const inner : {"natural", "bits:4", "natural:stochastic", "dither:4", "sign"}) {
    Harness<T, Exec> h("rand:0.5+" + inner, 30, 40), v(inner, 1, 600);
    auto const bytes = h.compress(x);
    std::uint64_t seed = 0;
    std::memcpy(&seed, bytes.data(), 8);
    auto const p = drawn(1200, seed);
    HostMatrix values(1, 600);
    for (std::uint32_t i = 0; i < 600; ++i) values.a[i] = x.a[p(i)];
    auto const coded = v.apply(values);
    std::vector<double> expected(1200, 0.0);
    for (std::uint32_t i = 0; i < 600; ++i) expected[p(i)] = coded.a[i];
    EXPECT_EQ(h.decompress(bytes, HostMatrix(30, 40)).a, expected) << inner;
  }
}

TYPED_TEST(RandKTest, KeepsEachEntryEquallyOften) {
  using T = typename TypeParam::T;
  HostMatrix ones(5, 8);
  std::fill(ones.a.begin(), ones.a.end(), 1.0);
  Harness<T, typename TypeParam::Exec> h("rand:0.3", 5, 8);
  int const draws = 3000;
  std::vector<double> kept(40, 0.0);
  for (int t = 0; t < draws; ++t) {
    h.key.step = static_cast<std::uint32_t>(t);
    auto const c = h.apply(ones);
    double total = 0;
    for (std::size_t i = 0; i < 40; ++i) kept[i] += c.a[i], total += c.a[i];
    ASSERT_EQ(total, 12);
  }
  double worst = 0;
  for (double const k : kept) worst = std::max(worst, std::fabs(k - 0.3 * draws) / std::sqrt(draws * 0.3 * 0.7));
  std::printf("keys 1234: largest |z| of 40 frequencies %.2f (limit 4.5)\n", worst);
  EXPECT_LT(worst, 4.5);
}

TYPED_TEST(RandKTest, KeepsAllOfAllExactly) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(random_matrix(17, 19, 24));
  Harness<T, typename TypeParam::Exec> h("rand:1", 17, 19);
  EXPECT_EQ(h.apply(x).a, x.a);
  EXPECT_FALSE(h.c->is_random() && h.c->guaranteed_alpha() < 1);
}

}  // namespace randk_test
