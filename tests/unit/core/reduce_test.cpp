#include <kaon/core/reduce.hpp>
#include <kaon/support/backends.hpp>

#include <cmath>

namespace kaon {
namespace {

template <class B>
struct Reduce : ::testing::Test {};
TYPED_TEST_SUITE(Reduce, test::Backends);

TYPED_TEST(Reduce, SumAndMaxAgreeWithTheHostForEverySize) {
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  Vector<double, Exec> partials("kaon::test::partials", 64);
  Scalar<double, Exec> sum("kaon::test::sum"), top("kaon::test::top");
  for (std::int64_t n : {0, 1, 2, 4095, 4096, 4097, 100000}) {
    auto const f = KOKKOS_LAMBDA(std::int64_t i) { return 1.0 / static_cast<double>(1 + (i * 7919) % 10007); };
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

TYPED_TEST(Reduce, HasTheSameBitsEveryTime) {
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  Vector<double, Exec> partials("kaon::test::partials", 256);
  Scalar<double, Exec> sum("kaon::test::sum");
  double first = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    reduce_sum<Exec>(
        exec, "kaon::test::reduce_sum", sum, partials, 1000003,
        KOKKOS_LAMBDA(std::int64_t i) { return 1e-3 * static_cast<double>((i * 104729) % 1299709) - 600; });
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
  auto const f = KOKKOS_LAMBDA(std::int64_t) { return 1.0; };
  EXPECT_THROW(reduce_sum<Exec>(exec, "kaon::test::x", sum, partials, 4097, f), std::invalid_argument);
  EXPECT_THROW(reduce_max<Exec>(exec, "kaon::test::x", sum, partials, 4097, f), std::invalid_argument);
}

}  // namespace
}  // namespace kaon
