#include "harness.hpp"

#include <cstring>

namespace damping_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct DampingTest : ::testing::Test {};
TYPED_TEST_SUITE(DampingTest, Backends, BackendNames);

TYPED_TEST(DampingTest, MultipliesInTheScalarType) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(random_matrix(23, 17, 61));
  for (double const gamma : {0.25, 0.9, 1.0, 1.7}) {
    Harness<T, typename TypeParam::Exec> h("damp:" + std::to_string(gamma), 23, 17);
    auto const c = h.apply(x);
    for (std::size_t i = 0; i < x.a.size(); ++i)
      ASSERT_EQ(c.a[i], static_cast<double>(static_cast<T>(gamma) * static_cast<T>(x.a[i])));
    double const exact = 1 - (1 - gamma) * (1 - gamma), tolerance = sizeof(T) == 4 ? 5e-7 : 1e-14;
    EXPECT_NEAR(alpha(c, x), exact, tolerance) << gamma;
    EXPECT_NEAR(h.c->guaranteed_alpha(), exact, tolerance) << gamma;
    EXPECT_LE(h.c->guaranteed_alpha(), exact) << gamma;
    EXPECT_GE(alpha(c, x), h.c->guaranteed_alpha()) << gamma;
  }
}

TYPED_TEST(DampingTest, OneIsExact) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(random_matrix(3, 5, 62));
  Harness<T, typename TypeParam::Exec> h("damp:1", 3, 5);
  EXPECT_EQ(h.c->guaranteed_alpha(), 1);
  EXPECT_EQ(h.apply(x).a, x.a);
}

TYPED_TEST(DampingTest, PayloadIsTheValuesPaddedWithZeros) {
  using T = typename TypeParam::T;
  HostMatrix x(1, 3);
  x.a = {2, -4, 6};
  Harness<T, typename TypeParam::Exec> h("damp:0.5", 1, 3);
  auto const bytes = h.compress(x);
  T const values[4] = {1, -2, 3, 0};
  ASSERT_EQ(bytes.size(), sizeof(T) == 4 ? 16U : 24U);
  EXPECT_EQ(std::memcmp(bytes.data(), values, bytes.size()), 0);
}

}  // namespace damping_test
