// Sums over matrices against fp64 sums on the host.
#include <kaon/linalg/norms.hpp>
#include <kaon/support/traps.hpp>

#include <kaon/support/backends.hpp>

#include <cmath>
#include <limits>

namespace kaon {
namespace norms_test {

using test::HostMatrix;

template <class B>
struct Norms : ::testing::Test {
  using Real = typename B::T;
  using Space = typename B::Exec;
  Space exec{};
  Scalar<double, Space> result{"kaon::test::result"};
  Vector<double, Space> work{"kaon::test::work", 1 << 20};

  double value() {
    exec.fence();
    double x = 0;
    Kokkos::deep_copy(x, result);
    return x;
  }
  std::vector<double> values(Vector<double, Space> const& v) {
    exec.fence();
    auto const h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, v);
    return std::vector<double>(h.data(), h.data() + h.size());
  }
};
TYPED_TEST_SUITE(Norms, test::Backends, test::BackendNames);

// 1×1, a row, a column, one block of a reduction exactly, one more than it, and several blocks.
constexpr int shapes[][2] = {{1, 1}, {1, 5000}, {777, 1}, {64, 64}, {17, 241}, {300, 130}, {600, 70}};

TYPED_TEST(Norms, WholeMatrixSumsMatchTheHost) {
  using T = typename TypeParam::T;
  for (auto const& [m, n] : shapes) {
    auto const A = test::to_device<T, typename TypeParam::Exec>(test::random_matrix(m, n, 11));
    auto const B = test::to_device<T, typename TypeParam::Exec>(test::random_matrix(m, n, 12));
    HostMatrix const a = test::to_host(A), b = test::to_host(B);
    double squares = 0, sum = 0, top = 0, inner = 0;
    for (std::size_t i = 0; i < a.a.size(); ++i) {
      squares += a.a[i] * a.a[i];
      sum += std::fabs(a.a[i]);
      top = std::max(top, std::fabs(a.a[i]));
      inner += a.a[i] * b.a[i];
    }
    double const tolerance = 1e-13;
    sum_squares<T>(this->exec, this->result, this->work, A);
    EXPECT_NEAR(this->value(), squares, tolerance * squares) << m << "x" << n;
    sum_abs<T>(this->exec, this->result, this->work, A);
    EXPECT_NEAR(this->value(), sum, tolerance * sum);
    max_abs<T>(this->exec, this->result, this->work, A);
    EXPECT_EQ(this->value(), top);
    dot<T>(this->exec, this->result, this->work, A, B);
    EXPECT_NEAR(this->value(), inner, tolerance * squares);
  }
}

TYPED_TEST(Norms, RowAndColumnSumsMatchTheHostAndAddUp) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (auto const& [m, n] : shapes) {
    auto const A = test::to_device<T, Exec>(test::random_matrix(m, n, 13));
    HostMatrix const a = test::to_host(A);
    Vector<double, Exec> columns("kaon::test::columns", static_cast<std::size_t>(n)),
        rows("kaon::test::rows", static_cast<std::size_t>(m));
    column_sum_squares<T>(this->exec, columns, this->work, A);
    row_sum_squares<T>(this->exec, rows, A);
    auto const c = this->values(columns), r = this->values(rows);
    for (int j = 0; j < n; ++j) {
      double s = 0;
      for (int i = 0; i < m; ++i) s += a(i, j) * a(i, j);
      ASSERT_NEAR(c[static_cast<std::size_t>(j)], s, 1e-13 * s) << m << "x" << n << " column " << j;
    }
    for (int i = 0; i < m; ++i) {
      double s = 0;
      for (int j = 0; j < n; ++j) s += a(i, j) * a(i, j);
      ASSERT_NEAR(r[static_cast<std::size_t>(i)], s, 1e-13 * s) << m << "x" << n << " row " << i;
    }
  }
}

TYPED_TEST(Norms, RepeatToTheLastBit) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const A = test::to_device<T, Exec>(test::random_matrix(611, 203, 14));
  Vector<double, Exec> columns("kaon::test::columns", 203);
  sum_squares<T>(this->exec, this->result, this->work, A);
  double const first = this->value();
  column_sum_squares<T>(this->exec, columns, this->work, A);
  auto const c = this->values(columns);
  for (int repeat = 0; repeat < 5; ++repeat) {
    sum_squares<T>(this->exec, this->result, this->work, A);
    EXPECT_EQ(this->value(), first);
    column_sum_squares<T>(this->exec, columns, this->work, A);
    EXPECT_EQ(this->values(columns), c);
  }
}

TYPED_TEST(Norms, SquaresOfTinyAndHugeEntriesDoNotLeaveDouble) {
  using T = typename TypeParam::T;
  for (double const x : {1e-30, 1e30}) {
    HostMatrix h(3, 3);
    h(1, 2) = x;
    auto const A = test::to_device<T, typename TypeParam::Exec>(h);
    sum_squares<T>(this->exec, this->result, this->work, A);
    EXPECT_NEAR(std::sqrt(this->value()) / x, 1.0, 1e-7);
  }
}

TYPED_TEST(Norms, CountsEveryKindOfNonFiniteEntry) {
  kaon::test::Untrapped const untrapped;
  using T = typename TypeParam::T;
  HostMatrix h = test::random_matrix(70, 90, 15);
  auto const count = [&] {
    count_nonfinite<T>(this->exec, this->result, this->work, test::to_device<T, typename TypeParam::Exec>(h));
    return this->value();
  };
  EXPECT_EQ(count(), 0);
  h(0, 0) = std::numeric_limits<double>::quiet_NaN();
  h(69, 89) = std::numeric_limits<double>::infinity();
  h(33, 1) = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(count(), 3);
}

TYPED_TEST(Norms, RefusesSmallWorkspacesAndOtherShapes) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Matrix<T, Exec> const A("kaon::test::A", 100, 100), B("kaon::test::B", 100, 99);
  Vector<double, Exec> const small("kaon::test::small", 1), hundred("kaon::test::hundred", 100);
  EXPECT_THROW(sum_squares<T>(this->exec, this->result, small, A), std::invalid_argument);
  EXPECT_THROW(column_sum_squares<T>(this->exec, hundred, small, A), std::invalid_argument);
  EXPECT_THROW(column_sum_squares<T>(this->exec, small, this->work, A), std::invalid_argument);
  EXPECT_THROW(row_sum_squares<T>(this->exec, small, A), std::invalid_argument);
  EXPECT_THROW(dot<T>(this->exec, this->result, this->work, A, B), std::invalid_argument);
}

}  // namespace norms_test
}  // namespace kaon
