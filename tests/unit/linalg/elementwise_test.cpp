// Element-wise kernels: equal to the formula in T, to the last bit (no reassociation is possible).
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/transpose.hpp>

#include <kaon/support/backends.hpp>

namespace kaon {
namespace elementwise_test {

using test::HostMatrix;

template <class B>
struct Elementwise : ::testing::Test {
  using Real = typename B::T;
  using Space = typename B::Exec;
  using M = Matrix<Real, Space>;
  static constexpr int height = 37, width = 53;
  Space exec{};
  M X = test::to_device<Real, Space>(test::random_matrix(height, width, 21));
  M Y = test::to_device<Real, Space>(test::random_matrix(height, width, 22));
  HostMatrix x_before = test::to_host(X), y_before = test::to_host(Y);

  /// Every entry of D is f(x, y) computed in Real.
  template <class F>
  void expect(M const& D, F const& f) {
    exec.fence();
    HostMatrix const d = test::to_host(D);
    for (std::size_t i = 0; i < d.a.size(); ++i)
      ASSERT_EQ(static_cast<Real>(d.a[i]), f(static_cast<Real>(x_before.a[i]), static_cast<Real>(y_before.a[i])))
          << "entry " << i;
  }
};
TYPED_TEST_SUITE(Elementwise, test::Backends, test::BackendNames);

TYPED_TEST(Elementwise, FillCopyScale) {
  using T = typename TypeParam::T;
  typename TestFixture::M D("kaon::test::D", this->height, this->width);
  fill<T>(this->exec, D, T(2.5));
  this->expect(D, [](T, T) { return T(2.5); });
  copy<T>(this->exec, D, this->X);
  this->expect(D, [](T x, T) { return x; });
  scale<T>(this->exec, D, T(-0.3));
  this->expect(D, [](T x, T) { return x * T(-0.3); });
}

TYPED_TEST(Elementwise, LinearCombinations) {
  using T = typename TypeParam::T;
  axpy<T>(this->exec, this->Y, T(0.7), this->X);
  this->expect(this->Y, [](T x, T y) { return y + T(0.7) * x; });
  difference<T>(this->exec, this->Y, this->X, this->X);
  this->expect(this->Y, [](T, T) { return T(0); });
}

TYPED_TEST(Elementwise, DifferenceMayOverwriteAnInput) {
  using T = typename TypeParam::T;
  difference<T>(this->exec, this->Y, this->X, this->Y);
  this->expect(this->Y, [](T x, T y) { return x - y; });
}

TYPED_TEST(Elementwise, ScaledByADeviceNumber) {
  using T = typename TypeParam::T;
  Scalar<double, typename TypeParam::Exec> s("kaon::test::s");
  Kokkos::deep_copy(s, 1.25);
  axpy_scaled<T>(this->exec, this->Y, T(-2), s, this->X);
  this->expect(this->Y, [](T x, T y) { return y + T(-2.5) * x; });
  copy_scaled<T>(this->exec, this->Y, T(-2), s, this->X);
  this->expect(this->Y, [](T x, T) { return T(-2.5) * x; });
}

TYPED_TEST(Elementwise, LerpRoundsAsWrittenAndBetaOneIsACopy) {
  using T = typename TypeParam::T;
  T const beta = T(0.1);
  lerp<T>(this->exec, this->Y, beta, this->X);
  this->expect(this->Y, [beta](T x, T y) { return (T(1) - beta) * y + beta * x; });
  lerp<T>(this->exec, this->Y, T(1), this->X);
  this->expect(this->Y, [](T x, T) { return x; });
}

TYPED_TEST(Elementwise, RefusesOtherShapes) {
  using T = typename TypeParam::T;
  typename TestFixture::M const W("kaon::test::W", this->width, this->height);
  EXPECT_THROW(copy<T>(this->exec, W, this->X), std::invalid_argument);
  EXPECT_THROW(axpy<T>(this->exec, W, T(1), this->X), std::invalid_argument);
  EXPECT_THROW(lerp<T>(this->exec, W, T(1), this->X), std::invalid_argument);
  EXPECT_THROW(difference<T>(this->exec, this->Y, this->X, W), std::invalid_argument);
  EXPECT_THROW(transpose<T>(this->exec, this->Y, this->X), std::invalid_argument);
}

TYPED_TEST(Elementwise, TransposeMovesEveryEntryAndIsAnInvolution) {
  using T = typename TypeParam::T;
  for (auto const& [m, n] : {std::pair{1, 1}, {1, 90}, {90, 1}, {32, 32}, {33, 65}, {100, 31}}) {
    HostMatrix const h = test::random_matrix(m, n, 23);
    auto const A = test::to_device<T, typename TypeParam::Exec>(h);
    auto const B = test::to_device<T, typename TypeParam::Exec>(HostMatrix(n, m));
    auto const C = test::to_device<T, typename TypeParam::Exec>(HostMatrix(m, n));
    transpose<T>(this->exec, B, A);
    transpose<T>(this->exec, C, B);
    this->exec.fence();
    HostMatrix const a = test::to_host(A), b = test::to_host(B);
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) ASSERT_EQ(b(j, i), a(i, j));
    EXPECT_EQ(test::to_host(C).a, a.a);
  }
}

}  // namespace elementwise_test
}  // namespace kaon
