#include <kaon/core/reduce.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/traps.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {
namespace reduce_test {

// What is summed, as types: nvcc takes no device lambda in a test's body, which is private.
struct Inverse {
  std::int64_t from;
  KOKKOS_FUNCTION double operator()(std::int64_t i) const { return 1.0 / static_cast<double>(from + (i * 7919) % 10007); }
};
struct OneNaN {
  std::int64_t at;
  double nan;
  KOKKOS_FUNCTION double operator()(std::int64_t i) const { return i == at ? nan : static_cast<double>(i % 17); }
};
struct Uneven {
  KOKKOS_FUNCTION double operator()(std::int64_t i) const { return 1e-3 * static_cast<double>((i * 104729) % 1299709) - 600; }
};
struct One {
  KOKKOS_FUNCTION double operator()(std::int64_t) const { return 1.0; }
};

template <class B>
struct Reduce : ::testing::Test {};
TYPED_TEST_SUITE(Reduce, test::Backends, test::BackendNames);

TYPED_TEST(Reduce, SumAndMaxAgreeWithTheHostForEverySize) {
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  Vector<double, Exec> partials("kaon::test::partials", 64);
  Scalar<double, Exec> sum("kaon::test::sum"), top("kaon::test::top");
  for (std::int64_t n : {0, 1, 2, 4095, 4096, 4097, 100000}) {
    Inverse const f{1};
    reduce_sum<Exec>(exec, "kaon::test::reduce_sum", sum, partials, n, f);
    reduce_max<Exec>(exec, "kaon::test::reduce_max", top, partials, n, f);
    exec.fence();
    double s = 0, m = 0, expected = 0, largest = 0;
    Kokkos::deep_copy(s, sum);
    Kokkos::deep_copy(m, top);
    for (std::int64_t i = 0; i < n; ++i) expected += f(i), largest = std::max(largest, f(i));
    double const error = std::abs(s - expected), bound = 1e-15 * std::max(1.0, expected) * std::sqrt(double(n) + 1);
    EXPECT_LE(error, bound) << "n " << n << ", error " << error;
    EXPECT_EQ(m, largest) << "n " << n;
  }
}

// On a host entry i of a block goes to lane i mod 8 and lanes are added in halves: part of the arithmetic, on every host space.
TYPED_TEST(Reduce, HostSumsGoThroughEightLanes) {
  using Exec = typename TypeParam::Exec;
  if (!runs_on_host<Exec>) GTEST_SKIP() << "a device has an order of its own";
  Exec const exec;
  Vector<double, Exec> partials("kaon::test::partials", 8);
  Scalar<double, Exec> sum("kaon::test::sum");
  for (std::int64_t n : {1, 7, 8, 9, 4095, 4096, 4100, 12289}) {
    Inverse const f{3};
    reduce_sum<Exec>(exec, "kaon::test::reduce_sum", sum, partials, n, f);
    exec.fence();
    double got = 0, expected = 0;
    Kokkos::deep_copy(got, sum);
    for (std::int64_t begin = 0; begin < n; begin += 4096) {
      double lane[8] = {};
      for (std::int64_t i = begin; i < std::min<std::int64_t>(n, begin + 4096); ++i) lane[(i - begin) % 8] += f(i);
      expected += ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
    }
    EXPECT_EQ(got, expected) << "n " << n;
  }
}

TYPED_TEST(Reduce, MaxPassesOverNaN) {
  using Exec = typename TypeParam::Exec;
  test::Untrapped const untrapped;
  Exec const exec;
  double const nan = std::nan("");
  Vector<double, Exec> partials("kaon::test::partials", 8);
  Scalar<double, Exec> top("kaon::test::top");
  for (std::int64_t const at : {0, 3, 4096, 8999}) {
    reduce_max<Exec>(exec, "kaon::test::reduce_max", top, partials, 9000, OneNaN{at, nan});
    exec.fence();
    double got = 0;
    Kokkos::deep_copy(got, top);
    EXPECT_EQ(got, 16) << at;
  }
}

TYPED_TEST(Reduce, HasTheSameBitsEveryTime) {
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  Vector<double, Exec> partials("kaon::test::partials", 256);
  Scalar<double, Exec> sum("kaon::test::sum");
  double first = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    reduce_sum<Exec>(exec, "kaon::test::reduce_sum", sum, partials, 1000003, Uneven{});
    exec.fence();
    double s = 0;
    Kokkos::deep_copy(s, sum);
    if (repeat == 0) first = s;
    ASSERT_EQ(s, first);
  }
}

TYPED_TEST(Reduce, RefusesTooSmallAWorkspace) {
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  Vector<double, Exec> partials("kaon::test::partials", 1);
  Scalar<double, Exec> sum("kaon::test::sum");
  One const f;
  EXPECT_THROW(reduce_sum<Exec>(exec, "kaon::test::x", sum, partials, 4097, f), std::invalid_argument);
  EXPECT_THROW(reduce_max<Exec>(exec, "kaon::test::x", sum, partials, 4097, f), std::invalid_argument);
}

}  // namespace reduce_test
}  // namespace kaon
