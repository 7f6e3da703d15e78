#include "reference.hpp"

#include <kaon/support/traps.hpp>

#include <kaon/nn/activation.hpp>
#include <kaon/nn/exponential.hpp>
#include <kaon/nn/initialize.hpp>
#include <kaon/nn/linear.hpp>

namespace kaon::test {
namespace pointwise_test {

template <class B>
struct Pointwise : ::testing::Test {};
TYPED_TEST_SUITE(Pointwise, Backends, BackendNames);

TYPED_TEST(Pointwise, ReluSquaredAndItsGradient) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const X = random_matrix(7, 13, 41);
  auto const dY = random_matrix(7, 13, 42);
  HostMatrix Y(7, 13), dX(7, 13);
  for (std::size_t i = 0; i < X.a.size(); ++i) {
    Y.a[i] = X.a[i] > 0 ? X.a[i] * X.a[i] : 0;
    dX.a[i] = X.a[i] > 0 ? 2 * X.a[i] * dY.a[i] : 0;
  }
  auto const x = to_device<T, Exec>(X);
  auto const y = garbage<T, Exec>(7, 13);
  auto const dx = to_device<T, Exec>(dY);
  relu_squared<T>(Exec(), y, x);
  relu_squared_backward<T>(Exec(), dx, x);
  Exec().fence();
  expect_close(to_host(y), Y, value_tolerance<T>, "relu_squared");
  expect_close(to_host(dx), dX, value_tolerance<T>, "relu_squared_backward");
  EXPECT_THROW(relu_squared_backward<T>(Exec(), x, x), std::invalid_argument);
  EXPECT_THROW((relu_squared<T>(Exec(), Matrix<T, Exec>("z", 13, 7), x)), std::invalid_argument);
}

TYPED_TEST(Pointwise, ReluSquaredHidesNothingThatLeftTheRange) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Untrapped const untrapped;
  double const infinity = std::numeric_limits<double>::infinity(), large = sizeof(T) == 4 ? 1e25 : 1e200;
  std::vector<double> const values{std::nan(""), infinity, -infinity, large, -large, -0.0, 0.0, -3};
  HostMatrix X(1, static_cast<int>(values.size())), ones(1, static_cast<int>(values.size()));
  X.a = values;
  ones.a.assign(values.size(), 1.0);
  auto const x = to_device<T, Exec>(X);
  auto const y = garbage<T, Exec>(1, static_cast<int>(values.size()));
  auto const dx = to_device<T, Exec>(ones);
  relu_squared<T>(Exec(), y, x);
  relu_squared_backward<T>(Exec(), dx, x);
  Exec().fence();
  auto const Y = to_host(y), dX = to_host(dx);
  for (std::size_t i = 0; i < values.size(); ++i) {
    bool const sound = i > 3;
    EXPECT_EQ(std::isfinite(Y.a[i]), sound) << values[i];
    EXPECT_EQ(std::isfinite(dX.a[i]), sound || i == 3) << values[i];
    if (sound) {
      EXPECT_EQ(Y.a[i], 0);
      EXPECT_FALSE(std::signbit(Y.a[i]) || std::signbit(dX.a[i])) << values[i];
    }
  }
}

TYPED_TEST(Pointwise, LinearLayerAndItsGradients) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const X = random_matrix(5, 7, 43);
  auto const W = random_matrix(3, 7, 44);
  auto const dY = random_matrix(5, 3, 45);
  HostMatrix Y(5, 3), dX(5, 7), dW(3, 7);
  for (int i = 0; i < 5; ++i)
    for (int o = 0; o < 3; ++o)
      for (int c = 0; c < 7; ++c) {
        Y(i, o) += X(i, c) * W(o, c);
        dX(i, c) += dY(i, o) * W(o, c);
        dW(o, c) += dY(i, o) * X(i, c);
      }
  auto const y = garbage<T, Exec>(5, 3), dx = garbage<T, Exec>(5, 7), dw = garbage<T, Exec>(3, 7);
  linear<T>(Exec(), y, to_device<T, Exec>(X), to_device<T, Exec>(W));
  linear_backward_input<T>(Exec(), dx, to_device<T, Exec>(dY), to_device<T, Exec>(W));
  linear_backward_weight<T>(Exec(), dw, to_device<T, Exec>(dY), to_device<T, Exec>(X));
  Exec().fence();
  expect_close(to_host(y), Y, value_tolerance<T>, "linear");
  expect_close(to_host(dx), dX, value_tolerance<T>, "linear_backward_input");
  expect_close(to_host(dw), dW, value_tolerance<T>, "linear_backward_weight");
  linear<T>(Exec(), y, to_device<T, Exec>(X), to_device<T, Exec>(W), T(1));
  Exec().fence();
  for (auto& v : Y.a) v *= 2;
  expect_close(to_host(y), Y, value_tolerance<T>, "linear, added");
}

TYPED_TEST(Pointwise, FillNormalIsTheStreamTimesTheDeviation) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  StreamKey const key{5, Purpose::initialise, 0, 3, 0};
  auto const X = garbage<T, Exec>(40, 50);
  fill_normal<T>(Exec(), X, key, 0.25);
  Exec().fence();
  auto const x = to_host(X);
  HostMatrix should(40, 50);
  double square = 0;
  for (std::size_t i = 0; i < x.a.size(); ++i) {
    should.a[i] = 0.25 * random_normal(key, i);
    square += x.a[i] * x.a[i];
  }
  expect_close(x, should, value_tolerance<T>, "fill_normal");
  EXPECT_NEAR(std::sqrt(square / 2000), 0.25, 0.0125);
  fill_normal<T>(Exec(), X, key, 0);
  Exec().fence();
  for (auto v : to_host(X).a) EXPECT_EQ(v, 0);
}

TEST(Exponential, FloatIsWithinTwoUlpOfTheLibrary) {
  double worst = 0;
  for (int i = -870000; i <= 880000; ++i) {
    float const x = static_cast<float>(i) * 1e-4f;
    double const should = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::fabs(static_cast<double>(exponential(x)) - should) / should);
  }
  std::printf("  exponential: relative error %.2e, tolerance 2e-07\n", worst);
  EXPECT_LE(worst, 2e-7);
  EXPECT_EQ(exponential(0.0f), 1.0f);
  EXPECT_LT(exponential(-1e30f), 2e-38f);
  EXPECT_GE(exponential(-INFINITY), 0.0f);
  EXPECT_TRUE(std::isnan(exponential(NAN)));
}

}  // namespace pointwise_test
}  // namespace kaon::test
