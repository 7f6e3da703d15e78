#include "harness.hpp"

#include <cstring>

namespace sign_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct SignTest : ::testing::Test {};
TYPED_TEST_SUITE(SignTest, Backends, BackendNames);

double closed_form(HostMatrix const& x) {
  double sum = 0;
  for (double const a : x.a) sum += std::fabs(a);
  return sum * sum / (static_cast<double>(x.a.size()) * squared(x));
}

TYPED_TEST(SignTest, ContractsByItsClosedForm) {
  using T = typename TypeParam::T;
  double const tolerance = sizeof(T) == 4 ? 1e-7 : 1e-13;
  for (auto const& [name, x0] : inputs()) {
    auto const x = rounded<T>(x0);
    if (squared(x) == 0) continue;
    Harness<T, typename TypeParam::Exec> h("sign", x.rows, x.cols);
    EXPECT_NEAR(alpha(h.apply(x), x), closed_form(x), tolerance) << name;
  }
}

TYPED_TEST(SignTest, IsTwoOverPiOnNormalEntriesAndTheGuaranteeOnOneEntry) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(random_matrix(300, 400, 71));
  Harness<T, typename TypeParam::Exec> h("sign", 300, 400);
  double const normal = alpha(h.apply(x), x);
  HostMatrix one(300, 400);
  one(299, 399) = 5;
  double const least = alpha(h.apply(one), one), tolerance = sizeof(T) == 4 ? 1e-6 : 1e-12;
  std::printf("seed 71: alpha %.5f on normal entries (2/pi = 0.63662, tolerance 0.01), %.4g on one entry (1/mn %.4g)\n", normal,
              least, 1.0 / 120000);
  EXPECT_NEAR(normal, 0.63662, 0.01);
  EXPECT_NEAR(least, 1.0 / 120000, tolerance);
  EXPECT_LE(h.c->guaranteed_alpha(), 1.0 / 120000);
  EXPECT_GT(h.c->guaranteed_alpha(), 0.999 / 120000);
}

TYPED_TEST(SignTest, LayoutIsAsDocumented) {
  HostMatrix x(1, 5);
  x.a = {1.0, -2.0, 0.0, -0.0, -7.0};
  Harness<typename TypeParam::T, typename TypeParam::Exec> h("sign", 1, 5);
  auto const bytes = h.compress(x);
  ASSERT_EQ(bytes.size(), 16U);
  double scale = 0;
  std::memcpy(&scale, bytes.data(), 8);
  EXPECT_EQ(scale, 2.0);
  EXPECT_EQ(bytes[8], 0b10010);
  EXPECT_EQ(h.decompress(bytes, HostMatrix(1, 5)).a, (std::vector<double>{2, -2, 2, 2, -2}));
}

TYPED_TEST(SignTest, NaNReachesEveryValue) {
  Untrapped const untrapped;
  auto x = random_matrix(9, 9, 72);
  x(4, 4) = std::numeric_limits<double>::quiet_NaN();
  Harness<typename TypeParam::T, typename TypeParam::Exec> h("sign", 9, 9);
  for (double const a : h.apply(x).a) ASSERT_TRUE(std::isnan(a));
}

}  // namespace sign_test
