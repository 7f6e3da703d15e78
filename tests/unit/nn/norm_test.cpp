#include "reference.hpp"

#include <kaon/nn/norm.hpp>
#include <kaon/support/traps.hpp>

#include <cmath>

namespace kaon::test {
namespace norm_test {

template <class B>
struct Norm : ::testing::Test {};
TYPED_TEST_SUITE(Norm, Backends, BackendNames);

TYPED_TEST(Norm, RowsHaveMeanSquareOneAndMatchTheReference) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (int const d : {1, 7, 16, 33, 128}) {
    auto const X = random_matrix(9, d, 11);
    auto const Y = garbage<T, Exec>(9, d);
    Vector<T, Exec> scale("scale", 9);
    rms_norm<T>(Exec(), Y, scale, to_device<T, Exec>(X));
    Exec().fence();
    auto const y = to_host(Y);
    for (int i = 0; i < 9 && d > 1; ++i) {
      double square = 0;
      for (int j = 0; j < d; ++j) square += y(i, j) * y(i, j);
      EXPECT_NEAR(square / d, 1, 2e-4);  // short of 1 by epsilon over the row's mean square
    }
    expect_close(y, rms_norm_reference(X), value_tolerance<T>, "rms_norm");
  }
}

TYPED_TEST(Norm, ZeroRowStaysZeroAndInPlaceIsTheSame) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto X = random_matrix(3, 20, 12);
  for (int j = 0; j < 20; ++j) X(1, j) = 0;
  auto const in_place = to_device<T, Exec>(X);
  auto const apart = garbage<T, Exec>(3, 20);
  Vector<T, Exec> scale("scale", 3);
  rms_norm<T>(Exec(), apart, scale, in_place);
  rms_norm<T>(Exec(), in_place, scale, in_place);
  Exec().fence();
  EXPECT_EQ(to_host(apart).a, to_host(in_place).a);
  for (int j = 0; j < 20; ++j) EXPECT_EQ(to_host(apart)(1, j), 0);
}

TYPED_TEST(Norm, ARowWhoseSquaresLeaveTheRangeIsNotScaledToZero) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Untrapped const untrapped;
  auto X = random_matrix(3, 20, 15);
  X(1, 7) = sizeof(T) == 4 ? 1e25 : 1e200;
  auto const Y = garbage<T, Exec>(3, 20);
  Vector<T, Exec> scale("scale", 3);
  rms_norm<T>(Exec(), Y, scale, to_device<T, Exec>(X));
  Exec().fence();
  auto const y = to_host(Y);
  for (int j = 0; j < 20; ++j) EXPECT_TRUE(std::isnan(y(1, j)) && std::isfinite(y(0, j)) && std::isfinite(y(2, j)));
}

TYPED_TEST(Norm, BackwardIsTheGradientAndAccumulates) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (int const d : {5, 16, 37}) {
    auto const X = random_matrix(4, d, 13);
    auto const dY = random_matrix(4, d, 14);
    auto const Y = garbage<T, Exec>(4, d);
    auto const dX = garbage<T, Exec>(4, d);
    Vector<T, Exec> scale("scale", 4);
    rms_norm<T>(Exec(), Y, scale, to_device<T, Exec>(X));
    rms_norm_backward<T>(Exec(), dX, to_device<T, Exec>(dY), Y, scale, false);
    Exec().fence();
    auto should = numerical_gradient([&](HostMatrix const& x) { return inner(dY, rms_norm_reference(x)); }, X);
    expect_close(to_host(dX), should, gradient_tolerance<T>, "rms_norm_backward");
    rms_norm_backward<T>(Exec(), dX, to_device<T, Exec>(dY), Y, scale, true);
    Exec().fence();
    for (auto& g : should.a) g *= 2;
    expect_close(to_host(dX), should, gradient_tolerance<T>, "rms_norm_backward, accumulated");
    auto const in_place = to_device<T, Exec>(dY);
    rms_norm_backward<T>(Exec(), in_place, in_place, Y, scale, false);
    Exec().fence();
    for (auto& g : should.a) g /= 2;
    expect_close(to_host(in_place), should, gradient_tolerance<T>, "rms_norm_backward, in place");
  }
}

TYPED_TEST(Norm, RefusesShapesThatDoNotFit) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Matrix<T, Exec> X("X", 3, 4), Y("Y", 3, 5);
  Vector<T, Exec> scale("s", 3), few("f", 2);
  EXPECT_THROW(rms_norm<T>(Exec(), Y, scale, X), std::invalid_argument);
  EXPECT_THROW(rms_norm<T>(Exec(), X, few, X), std::invalid_argument);
  EXPECT_THROW(rms_norm_backward<T>(Exec(), X, X, X, scale, false), std::invalid_argument);
  EXPECT_THROW(rms_norm_backward<T>(Exec(), Y, X, X, scale, false), std::invalid_argument);
}

}  // namespace norm_test
}  // namespace kaon::test
