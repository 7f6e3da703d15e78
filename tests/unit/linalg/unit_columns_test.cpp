// Columns of norm 1 against fp64 on the host.
#include <kaon/linalg/norms.hpp>
#include <kaon/linalg/unit_columns.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/traps.hpp>

#include <cmath>
#include <limits>

namespace kaon {
namespace unit_columns_test {

using test::HostMatrix;

template <class B>
struct UnitColumns : ::testing::Test {
  using Real = typename B::T;
  using Space = typename B::Exec;
  Space exec{};
  HostMatrix operator()(HostMatrix const& before, HostMatrix const& from) const {
    auto const Q = test::to_device<Real, Space>(before);
    auto const R = test::to_device<Real, Space>(from);
    auto const cols = static_cast<std::size_t>(from.cols);
    unit_columns<Real>(
        exec, Q, Vector<double, Space>("kaon::test::scales", cols),
        Vector<double, Space>("kaon::test::partials", static_cast<std::size_t>(column_workspace(from.rows, from.cols))), R);
    exec.fence();
    return test::to_host(Q);
  }
};
TYPED_TEST_SUITE(UnitColumns, test::Backends, test::BackendNames);

TYPED_TEST(UnitColumns, MatchTheHostAndZeroOnesStay) {
  using T = typename TypeParam::T;
  double const epsilon = std::numeric_limits<T>::epsilon();
  for (auto const& [rows, cols] : {std::pair(1, 1), {1, 70}, {700, 1}, {17, 241}, {600, 65}}) {
    auto const before = test::random_matrix(rows, cols, 11);
    auto from = test::random_matrix(rows, cols, 12);
    for (int j = 0; j < cols; ++j)
      for (int i = 0; i < rows; ++i)
        from(i, j) = j % 5 == 3 ? 0 : static_cast<double>(static_cast<T>(from(i, j) * std::pow(10.0, j % 7 * 5 - 15)));
    auto const got = (*this)(before, from);
    double worst = 0;
    for (int j = 0; j < cols; ++j) {
      double sum = 0;
      for (int i = 0; i < rows; ++i) sum += from(i, j) * from(i, j);
      for (int i = 0; i < rows; ++i) {
        double const wanted = sum == 0 ? static_cast<double>(static_cast<T>(before(i, j))) : from(i, j) / std::sqrt(sum);
        if (sum == 0) {
          ASSERT_EQ(got(i, j), wanted) << "a column of zeros moved";
        }
        worst = std::max(worst, std::abs(got(i, j) - wanted));
      }
    }
    std::printf("unit columns %d x %d: %.2e off, tolerance %.2e\n", rows, cols, worst, epsilon);
    EXPECT_LE(worst, epsilon);
  }
}

TYPED_TEST(UnitColumns, WhatIsNotFiniteReachesItsColumnAlone) {
  using T = typename TypeParam::T;
  test::Untrapped const none;
  auto const before = test::random_matrix(9, 4, 1);
  auto from = test::random_matrix(9, 4, 2);
  from(3, 1) = std::numeric_limits<double>::quiet_NaN();
  from(4, 2) = std::numeric_limits<T>::infinity();
  auto const got = (*this)(before, from);
  for (int i = 0; i < 9; ++i)
    for (int j = 0; j < 4; ++j) EXPECT_EQ(std::isfinite(got(i, j)), j == 0 || j == 3) << i << ", " << j;
}

}  // namespace unit_columns_test
}  // namespace kaon
