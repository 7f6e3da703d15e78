#include "reference.hpp"

#include <kaon/nn/rotary.hpp>

namespace kaon::test {
namespace rotary_test {

constexpr int context = 5, heads = 3;

template <class T, class Exec>
struct Rotated {
  Matrix<T, Exec> table, Y;
  Vector<T, Exec> scale;
  Rotated(HostMatrix const& X, int width)
      : table("table", context, static_cast<std::size_t>(width)), Y(to_device<T, Exec>(X)), scale("scale", Y.extent(0) * heads) {
    fill_rotary_table<T>(Exec(), table);
    norm_and_rotate<T>(Exec(), Y, scale, table, heads);
    Exec().fence();
  }
};

template <class B>
struct Rotary : ::testing::Test {};
TYPED_TEST_SUITE(Rotary, Backends, BackendNames);

TYPED_TEST(Rotary, MatchesTheReference) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (int const w : {2, 6, 32}) {
    auto const X = random_matrix(2 * context, heads * w, 21);
    Rotated<T, Exec> r(X, w);
    expect_close(to_host(r.Y), norm_and_rotate_reference(X, context, heads), value_tolerance<T>, "norm_and_rotate");
  }
}

TYPED_TEST(Rotary, AHeadWhoseSquaresLeaveTheRangeIsNotScaledToZero) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Untrapped const untrapped;
  int const w = 8;
  double const infinity = std::numeric_limits<double>::infinity();
  for (double const bad : {sizeof(T) == 4 ? 1e25 : 1e200, infinity, -infinity, std::nan("")}) {
    auto X = random_matrix(context, heads * w, 24);
    X(2, w + 3) = bad;
    Rotated<T, Exec> const r(X, w);
    auto const y = to_host(r.Y);
    for (int t = 0; t < context; ++t)
      for (int j = 0; j < heads * w; ++j) EXPECT_EQ(std::isnan(y(t, j)), t == 2 && j / w == 1) << bad << ": " << t << ", " << j;
  }
}

TYPED_TEST(Rotary, ProductsDependOnTheDistanceOfPositionsAlone) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  int const w = 8;
  auto const one = random_matrix(1, heads * w, 22);
  auto const two = random_matrix(1, heads * w, 23);
  HostMatrix Q(context, heads * w), K(context, heads * w);
  for (int t = 0; t < context; ++t)
    for (int j = 0; j < heads * w; ++j) Q(t, j) = one(0, j), K(t, j) = two(0, j);
  Rotated<T, Exec> rq(Q, w), rk(K, w);
  auto const q = to_host(rq.Y), k = to_host(rk.Y);
  auto const product = [&](int t, int s) {
    double sum = 0;
    for (int c = 0; c < w; ++c) sum += q(t, c) * k(s, c);
    return sum;
  };
  EXPECT_NEAR(product(4, 2), product(2, 0), 1e-5);
  EXPECT_NEAR(product(3, 2), product(1, 0), 1e-5);
  EXPECT_GT(std::fabs(product(4, 0) - product(1, 0)), 1e-3);
}

TYPED_TEST(Rotary, BackwardIsTheGradient) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (int const w : {2, 10, 18}) {
    auto const X = random_matrix(context, heads * w, 24);
    auto const dY = random_matrix(context, heads * w, 25);
    Rotated<T, Exec> r(X, w);
    auto const dX = to_device<T, Exec>(dY);
    norm_and_rotate_backward<T>(Exec(), dX, r.Y, r.scale, r.table, heads);
    Exec().fence();
    auto const should =
        numerical_gradient([&](HostMatrix const& x) { return inner(dY, norm_and_rotate_reference(x, context, heads)); }, X);
    expect_close(to_host(dX), should, w == 2 ? 1e-3 : gradient_tolerance<T>, "norm_and_rotate_backward");
  }
}

TYPED_TEST(Rotary, RefusesShapesThatDoNotFit) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Matrix<T, Exec> X("X", 10, 12), table("t", 5, 4), odd("o", 5, 3), part("p", 4, 4);
  Vector<T, Exec> scale("s", 30), few("f", 29);
  EXPECT_THROW(fill_rotary_table<T>(Exec(), odd), std::invalid_argument);
  EXPECT_THROW(norm_and_rotate<T>(Exec(), X, scale, table, 2), std::invalid_argument);
  EXPECT_THROW(norm_and_rotate<T>(Exec(), X, few, table, 3), std::invalid_argument);
  EXPECT_THROW(norm_and_rotate<T>(Exec(), X, scale, part, 3), std::invalid_argument);
  EXPECT_THROW(norm_and_rotate_backward<T>(Exec(), X, X, scale, table, 3), std::invalid_argument);
}

}  // namespace rotary_test
}  // namespace kaon::test
