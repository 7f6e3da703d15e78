#include <kaon/linalg/update.hpp>
#include <kaon/support/backends.hpp>

#include <cmath>
#include <limits>

namespace kaon {
namespace update_test {

template <class B>
struct Update : ::testing::Test {
  typename B::Exec exec;
  test::HostMatrix const x = test::random_matrix(13, 37, 201), z = test::random_matrix(13, 37, 202);
  auto scale(double value) {
    Scalar<double, typename B::Exec> s("kaon::test::scale");
    Kokkos::deep_copy(s, value);
    return s;
  }
  test::HostMatrix moved(double radius, double s, double decay) {
    using T = typename B::T;
    using Exec = typename B::Exec;
    auto const X = test::to_device<T, Exec>(x), Z = test::to_device<T, Exec>(z);
    move_along<T>(exec, X, Z, radius, scale(s), decay);
    exec.fence();
    return test::to_host(X);
  }
};
TYPED_TEST_SUITE(Update, test::Backends, test::BackendNames);

TYPED_TEST(Update, PlainStepIsRoundedAsWritten) {
  using T = typename TypeParam::T;
  auto const y = this->moved(0.25, 3.0, 0.0);
  T const t = static_cast<T>(0.75);
  for (std::size_t e = 0; e < y.a.size(); ++e) {
    T const product = t * static_cast<T>(this->z.a[e]);
    T const sum = static_cast<T>(this->x.a[e]) + product;
    ASSERT_EQ(y.a[e], static_cast<double>(sum)) << "entry " << e;
  }
}

TYPED_TEST(Update, DecayShrinksByTheRadius) {
  double const eps = std::numeric_limits<typename TypeParam::T>::epsilon();
  for (double decay : {1.0, 0.1}) {
    auto const y = this->moved(0.2, 0.5, decay);
    for (std::size_t e = 0; e < y.a.size(); ++e)
      ASSERT_NEAR(y.a[e], (1 - 0.1 * decay) * this->x.a[e] + 0.1 * this->z.a[e], 8 * eps * (1 + std::abs(this->x.a[e])));
  }
}

TYPED_TEST(Update, FullConstrainedStepLandsOnTheOracle) {
  auto const y = this->moved(1.0, 1.0, 1.0);
  auto const rounded = test::to_host(test::to_device<typename TypeParam::T, typename TypeParam::Exec>(this->z));
  EXPECT_EQ(y.a, rounded.a);
}

TYPED_TEST(Update, BlendIsTheLookAheadAndMayOverwriteAnInput) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const A = test::to_device<T, Exec>(this->x), B = test::to_device<T, Exec>(this->z), C = test::to_device<T, Exec>(this->z);
  blend<T>(this->exec, C, A, B, T(0.3));
  blend<T>(this->exec, A, A, B, T(0.3));
  this->exec.fence();
  auto const c = test::to_host(C), a = test::to_host(A);
  EXPECT_EQ(a.a, c.a);
  double const eps = std::numeric_limits<T>::epsilon();
  for (std::size_t e = 0; e < c.a.size(); ++e)
    ASSERT_NEAR(c.a[e], 0.7 * this->x.a[e] + 0.3 * this->z.a[e], 8 * eps * (1 + std::abs(this->x.a[e]) + std::abs(this->z.a[e])));
}

TYPED_TEST(Update, RefusesShapesThatDiffer) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Matrix<T, Exec> a("kaon::test::a", 3, 4), b("kaon::test::b", 4, 3);
  EXPECT_THROW(move_along<T>(this->exec, a, b, 1.0, this->scale(1), 0.0), std::invalid_argument);
  EXPECT_THROW(blend<T>(this->exec, a, a, b, T(1)), std::invalid_argument);
}

}  // namespace update_test
}  // namespace kaon
