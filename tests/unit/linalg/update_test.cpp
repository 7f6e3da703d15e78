#include <kaon/linalg/update.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/traps.hpp>

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

TYPED_TEST(Update, TellsWhatCameOfTheStep) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  struct Case {
    char const* name;
    double radius, decay, direction;
    bool directed, moved, turned;
  };
  test::Untrapped const untrapped;
  double const rounds_away = std::numeric_limits<T>::epsilon() * 1e-3;
  for (auto const& c : {Case{"a step", 0.1, 0, 1, true, true, false}, Case{"no direction", 0.1, 0, 0, false, false, false},
                        Case{"a step that rounds away", rounds_away, 0, 1, true, false, false},
                        Case{"decay alone", 0.1, 0.5, 0, false, true, false}, Case{"decay of all", 0.5, 2, 1, true, true, false},
                        Case{"turned", 0.5, 2.1, 1, true, true, true}, Case{"a NaN", std::nan(""), 0, 1, true, true, false}}) {
    auto given = test::HostMatrix(90, 100), direction = given;  // several stretches
    for (double& v : given.a) v = 1;
    direction.a[8999] = c.direction;
    auto const X = test::to_device<T, Exec>(given), Z = test::to_device<T, Exec>(direction);
    Vector<double, Exec> const motion("kaon::test::motion", static_cast<std::size_t>(Motion::count));
    move_along<T>(this->exec, X, Z, c.radius, this->scale(1), c.decay, motion, 7);
    this->exec.fence();
    auto const told = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), motion);
    EXPECT_EQ(told(static_cast<int>(Motion::directed)) == 7, c.directed) << c.name;
    EXPECT_EQ(told(static_cast<int>(Motion::moved)) == 7, c.moved) << c.name;
    EXPECT_EQ(told(static_cast<int>(Motion::turned)) == 7, c.turned) << c.name;
    EXPECT_THROW(move_along<T>(this->exec, X, Z, 1, this->scale(1), 0, Vector<double, Exec>("kaon::test::motion", 2)),
                 std::invalid_argument);
  }
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
