#include "harness.hpp"

#include <kaon/codec/index_code.hpp>
#include <kaon/compress/select.hpp>

#include <cstring>
#include <numeric>

namespace topk_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct TopKTest : ::testing::Test {};
TYPED_TEST_SUITE(TopKTest, Backends, BackendNames);

/// Indices of the k largest |x| by a stable sort (NaN first), increasing.
std::vector<std::uint32_t> reference(std::vector<double> const& x, std::size_t k) {
  std::vector<std::uint32_t> order(x.size());
  std::iota(order.begin(), order.end(), 0U);
  auto const magnitude = [&](std::uint32_t i) { return std::fabs(x[i]); };
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (std::isnan(x[a]) || std::isnan(x[b])) return std::isnan(x[a]) && !std::isnan(x[b]);
    return magnitude(a) > magnitude(b);
  });
  order.resize(k);
  std::sort(order.begin(), order.end());
  return order;
}

template <class T, class Exec>
void expect_selection(std::vector<double> const& x, std::size_t k, std::string const& what) {
  TopSelector<T, Exec> const select(static_cast<std::int64_t>(x.size()), static_cast<std::int64_t>(k));
  Vector<T, Exec> device("kaon::test::x", x.size()), values("kaon::test::values", k);
  Vector<std::uint32_t, Exec> indices("kaon::test::indices", k);
  auto m = Kokkos::create_mirror_view(device);
  for (std::size_t i = 0; i < x.size(); ++i) m(i) = static_cast<T>(x[i]);
  Kokkos::deep_copy(device, m);
  auto const expected = reference(x, k);
  for (int round = 0; round < 2; ++round) {  // workspaces are reused
    select(Exec{}, indices, values, device);
    Kokkos::fence();
    auto const hi = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, indices);
    auto const hv = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, values);
    for (std::size_t i = 0; i < k; ++i) {
      ASSERT_EQ(hi(i), expected[i]) << what << " position " << i;
      ASSERT_TRUE(static_cast<double>(hv(i)) == x[expected[i]] || std::isnan(x[expected[i]]));
    }
  }
}

TYPED_TEST(TopKTest, SelectsLikeAStableSort) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (int n : {1, 2, 100, 4096, 5000, 32768, 32769, 200001})
    for (double fraction : {1e-9, 0.01, 0.15, 0.5, 1.0}) {
      auto const k = std::max<std::size_t>(1, static_cast<std::size_t>(fraction * n));
      expect_selection<T, Exec>(rounded<T>(random_matrix(1, n, 41)).a, k, "normal, n " + std::to_string(n));
    }
}

TYPED_TEST(TopKTest, BreaksTiesByTheLowestIndex) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  int const n = 150000;
  auto few = random_matrix(1, n, 42);
  for (auto& a : few.a) a = std::round(a);  // a handful of magnitudes, both signs
  std::vector<double> const equal(n, -3.0), zero(n, 0.0);
  for (std::size_t k : {1, 77, 20000, 70000, 149999, 150000}) {
    expect_selection<T, Exec>(few.a, k, "few magnitudes");
    expect_selection<T, Exec>(equal, k, "all equal");
    expect_selection<T, Exec>(zero, k, "all zero");
  }
}

TYPED_TEST(TopKTest, IsExactWhereTheSampleMisleads) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  int const n = 300007;
  auto const small = rounded<T>(random_matrix(1, n, 46)).a;
  std::vector<std::pair<std::string, std::vector<double>>> cases;
  auto block = small;  // all that is large stands together, almost surely between two samples
  for (int i = 0; i < 7; ++i) block[static_cast<std::size_t>(200001 + i)] = static_cast<double>(static_cast<T>(1e6 + i));
  cases.emplace_back("a few large", block);
  auto rows = small;  // scales that differ from row to row, so that the sample's neighbours are alike
  for (int i = 0; i < n; ++i) rows[static_cast<std::size_t>(i)] *= std::exp2((i / 1000) % 40 - 20);
  cases.emplace_back("rows", rows);
  auto columns = small;  // a period in the index
  for (int i = 0; i < n; ++i) columns[static_cast<std::size_t>(i)] *= i % 1024 == 5 ? 1024 : 1;
  cases.emplace_back("columns", columns);
  auto narrow = small;  // one binade, few different bits: the sampled bracket holds many
  for (auto& a : narrow) a = static_cast<double>(static_cast<T>(1 + 1e-5 * std::round(a)));
  cases.emplace_back("narrow", narrow);
  auto sparse = small;
  for (int i = 0; i < n; ++i) sparse[static_cast<std::size_t>(i)] *= i % 97 == 3 ? 1 : 0;
  cases.emplace_back("mostly zero", sparse);
  auto half = small;  // the first half is large, the threshold falls between
  for (int i = 0; i < n / 2; ++i) half[static_cast<std::size_t>(i)] += 1000;
  cases.emplace_back("two halves", rounded<T>([&] {
                                     HostMatrix h(1, n);
                                     h.a = half;
                                     return h;
                                   }())
                                       .a);
  for (auto const& [name, x] : cases)
    for (std::size_t k : {1, 7, 8, 300, 3000, 45001, 150003, 150004, 290000, 300006, 300007})
      expect_selection<T, Exec>(x, k, name + ", k " + std::to_string(k));
}

TYPED_TEST(TopKTest, OneSelectorServesInputsOfAnyScaleInTurn) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  std::size_t const n = 100003, k = 9001;
  TopSelector<T, Exec> const select(n, k);
  Vector<T, Exec> device("kaon::test::x", n), values("kaon::test::values", k);
  Vector<std::uint32_t, Exec> indices("kaon::test::indices", k);
  auto m = Kokkos::create_mirror_view(device);
  double const inf = std::numeric_limits<double>::infinity();
  for (double const scale : {1.0, 1e-30, 1e30, 0.0, inf, 1e-42, 1.0}) {
    auto x = random_matrix(1, static_cast<int>(n), 47).a;
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<double>(m(i) = static_cast<T>(x[i] * scale));
    Kokkos::deep_copy(device, m);
    select(Exec{}, indices, values, device);
    Kokkos::fence();
    auto const hi = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, indices);
    EXPECT_EQ(std::vector<std::uint32_t>(hi.data(), hi.data() + k), reference(x, k)) << "scale " << scale;
  }
}

TYPED_TEST(TopKTest, SpecialValuesAreOrderedAsDocumented) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  double const inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  double const tiny = static_cast<double>(std::numeric_limits<T>::denorm_min());
  std::vector<double> const x{1,   -inf, nan, 0, tiny, -2 * tiny, inf, nan, static_cast<double>(std::numeric_limits<T>::max()),
                              -0.0};
  for (std::size_t k = 1; k <= x.size(); ++k) expect_selection<T, Exec>(x, k, "special, k " + std::to_string(k));
}

TYPED_TEST(TopKTest, DecodesToTheKeptEntriesExactly) {
  using T = typename TypeParam::T;
  for (char const* spec : {"top:0.15", "top:0.01", "top:1"}) {
    auto const x = rounded<T>(random_matrix(211, 97, 43));
    Harness<T, typename TypeParam::Exec> h(spec, 211, 97);
    auto const k = static_cast<std::size_t>(std::atof(spec + 4) * static_cast<double>(x.a.size()));
    std::vector<double> expected(x.a.size(), 0.0);
    for (auto const i : reference(x.a, k)) expected[i] = x.a[i];
    EXPECT_EQ(h.apply(x).a, expected) << spec;
  }
}

TYPED_TEST(TopKTest, ValuesPassThroughTheirOwnCompressor) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const x = rounded<T>(random_matrix(80, 90, 44));
  auto const kept = reference(x.a, 1080);
  HostMatrix values(1, 1080);
  for (std::size_t i = 0; i < kept.size(); ++i) values.a[i] = x.a[kept[i]];
  for (std::string const inner : {"natural", "bits:1", "bits:4", "natural:stochastic"}) {
    Harness<T, Exec> h("top:0.15+" + inner, 80, 90), v(inner, 1, 1080);
    auto const c = h.apply(x), cv = v.apply(values);
    std::vector<double> expected(x.a.size(), 0.0);
    for (std::size_t i = 0; i < kept.size(); ++i) expected[kept[i]] = cv.a[i];
    EXPECT_EQ(c.a, expected) << inner;
  }
}

TYPED_TEST(TopKTest, PayloadIsTheValuesThenTheIndices) {
  using T = typename TypeParam::T;
  HostMatrix x(2, 8);
  x.a[3] = 5, x.a[5] = -4, x.a[6] = 3, x.a[12] = 2;
  Harness<T, typename TypeParam::Exec> h("top:0.25", 2, 8);
  auto const bytes = h.compress(x);
  ASSERT_EQ(bytes.size(), 4 * sizeof(T) + 16);
  T const values[4] = {5, -4, 3, 2};
  EXPECT_EQ(std::memcmp(bytes.data(), values, sizeof values), 0);
  EXPECT_EQ(bytes[4 * sizeof(T)], 3);               // the first index of the only block
  EXPECT_EQ(bytes[4 * sizeof(T) + 4], 1);           // and its words
  EXPECT_EQ(bytes[4 * sizeof(T) + 8], 0b10110010);  // as in the index code's own test
}

TYPED_TEST(TopKTest, CostsLittleMoreThanItsEntropy) {
  using T = typename TypeParam::T;
  Harness<T, typename TypeParam::Exec> h("top:0.15+natural", 512, 768);
  double const bits = 8.0 * static_cast<double>(h.compress(random_matrix(512, 768, 45)).size()) / (512 * 768);
  double const p = 0.15, entropy = -p * std::log2(p) - (1 - p) * std::log2(1 - p) + 9 * p;
  std::printf("top 15 %% with natural values: %.4f bits an entry (%.4f of fp32), entropy %.4f\n", bits, bits / 32, entropy);
  EXPECT_LE(bits, 1.015 * entropy);
  EXPECT_GE(bits, 0.999 * entropy);
}

}  // namespace topk_test
