#include "harness.hpp"

#include <cstring>
#include <numeric>

namespace column_top_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct ColumnTopTest : ::testing::Test {};
TYPED_TEST_SUITE(ColumnTopTest, Backends, BackendNames);

/// The k columns of largest 2-norm by a stable sort, increasing.
std::vector<int> reference(HostMatrix const& x, int k) {
  std::vector<double> squares(static_cast<std::size_t>(x.cols), 0.0);
  for (int i = 0; i < x.rows; ++i)
    for (int j = 0; j < x.cols; ++j) squares[static_cast<std::size_t>(j)] += x(i, j) * x(i, j);
  std::vector<int> order(static_cast<std::size_t>(x.cols));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return squares[static_cast<std::size_t>(a)] > squares[static_cast<std::size_t>(b)]; });
  order.resize(static_cast<std::size_t>(k));
  std::sort(order.begin(), order.end());
  return order;
}
HostMatrix only(HostMatrix const& x, std::vector<int> const& columns) {
  HostMatrix c(x.rows, x.cols);
  for (int const j : columns)
    for (int i = 0; i < x.rows; ++i) c(i, j) = x(i, j);
  return c;
}

TYPED_TEST(ColumnTopTest, KeepsTheLargestColumnsExactly) {
  using T = typename TypeParam::T;
  for (auto const& [m, n] : {std::pair{45, 60}, {1, 100}, {100, 3}, {300, 20}}) {
    auto const x = rounded<T>(random_matrix(m, n, 31));
    Harness<T, typename TypeParam::Exec> h("columns:0.35", m, n);
    int const k = std::max(1, 35 * n / 100);
    EXPECT_EQ(h.apply(x).a, only(x, reference(x, k)).a) << m << " x " << n;
  }
}

TYPED_TEST(ColumnTopTest, BreaksTiesByTheLowestIndex) {
  using T = typename TypeParam::T;
  HostMatrix x(4, 10);
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 10; ++j) x(i, j) = (i + j) % 2 == 0 ? 2 : -2;
  x(0, 7) = 3;
  Harness<T, typename TypeParam::Exec> h("columns:0.3", 4, 10);
  EXPECT_EQ(h.apply(x).a, only(x, {0, 1, 7}).a);
}

TYPED_TEST(ColumnTopTest, AColumnWithANaNIsLargest) {
  Untrapped const untrapped;
  auto x = random_matrix(6, 8, 32);
  x(3, 5) = std::numeric_limits<double>::quiet_NaN();
  Harness<typename TypeParam::T, typename TypeParam::Exec> h("columns:0.125", 6, 8);
  auto const c = h.apply(x);
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 8; ++j) ASSERT_EQ(c(i, j) != 0, j == 5);
}

TYPED_TEST(ColumnTopTest, CodesColumnsAsRows) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const x = rounded<T>(random_matrix(70, 20, 33));
  auto const kept = reference(x, 5);
  HostMatrix values(5, 70);
  for (int k = 0; k < 5; ++k)
    for (int i = 0; i < 70; ++i) values(k, i) = x(i, kept[static_cast<std::size_t>(k)]);
  for (std::string const inner : {"natural", "bits:4:block=64", "natural:stochastic", "sign"}) {
    Harness<T, Exec> h("columns:0.25+" + inner, 70, 20), v(inner, 5, 70);
    auto const coded = v.apply(values);
    HostMatrix expected(70, 20);
    for (int k = 0; k < 5; ++k)
      for (int i = 0; i < 70; ++i) expected(i, kept[static_cast<std::size_t>(k)]) = coded(k, i);
    EXPECT_EQ(h.apply(x).a, expected.a) << inner;
  }
}

TYPED_TEST(ColumnTopTest, PayloadIsTheValuesThenTheIndices) {
  using T = typename TypeParam::T;
  HostMatrix x(2, 8);
  x(0, 3) = 5, x(1, 3) = 1, x(1, 6) = -4;
  Harness<T, typename TypeParam::Exec> h("columns:0.25", 2, 8);
  auto const bytes = h.compress(x);
  T const values[4] = {5, 1, 0, -4};
  ASSERT_EQ(bytes.size(), sizeof values + 16);
  EXPECT_EQ(std::memcmp(bytes.data(), values, sizeof values), 0);
  EXPECT_EQ(bytes[sizeof values], 3);  // the first index of the only block
}

}  // namespace column_top_test
