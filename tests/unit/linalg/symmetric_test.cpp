// Symmetric products against fp64 triple loops, batches against single matrices bit by bit, and the vendors' strided and 16-bit
// products against their portable twins.
#include <kaon/linalg/symmetric.hpp>
#include <kaon/support/traps.hpp>

#include <kaon/linalg/tpl/half_bits.hpp>
#include <kaon/linalg/tpl/half_gemm.hpp>
#include <kaon/linalg/tpl/strided_gemm.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace kaon {
namespace symmetric_test {

using test::HostMatrix;

/// op(A)·op(A)ᵀ in fp64.
HostMatrix square_of(HostMatrix const& a, Op op) {
  int const n = op == Op::none ? a.rows : a.cols, k = op == Op::none ? a.cols : a.rows;
  HostMatrix c(n, n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      for (int l = 0; l < k; ++l) c(i, j) += op == Op::none ? a(i, l) * a(j, l) : a(l, i) * a(l, j);
  return c;
}

HostMatrix product(HostMatrix const& a, HostMatrix const& b) {
  HostMatrix c(a.rows, b.cols);
  for (int i = 0; i < a.rows; ++i)
    for (int l = 0; l < a.cols; ++l)
      for (int j = 0; j < b.cols; ++j) c(i, j) += a(i, l) * b(l, j);
  return c;
}

double largest(HostMatrix const& a);

/// Largest entry of |A|·|B|: what rounding errors of a product are relative to.
double size_of(HostMatrix a, HostMatrix b) {
  for (double& x : a.a) x = std::fabs(x);
  for (double& x : b.a) x = std::fabs(x);
  return largest(product(a, b));
}

double largest(HostMatrix const& a) {
  double top = 0;
  for (double const x : a.a) top = std::max(top, std::fabs(x));
  return top;
}

void expect_close(HostMatrix const& c, HostMatrix const& expected, double tolerance, char const* what) {
  double worst = 0;
  for (std::size_t i = 0; i < c.a.size(); ++i) {
    double const d = std::fabs(c.a[i] - expected.a[i]);
    if (!(d <= worst)) worst = d;
  }
  if (c.rows > 100) std::printf("%s, order %d: error %.2e (tolerance %.1e)\n", what, c.rows, worst, tolerance);
  EXPECT_LE(worst, tolerance) << what << " of order " << c.rows;
}

void expect_symmetric(HostMatrix const& c) {
  for (int i = 0; i < c.rows; ++i)
    for (int j = 0; j < i; ++j) ASSERT_EQ(c(i, j), c(j, i)) << i << "," << j;
}

/// Rows [first, first + rows) of a.
HostMatrix slice(HostMatrix const& a, int first, int rows) {
  HostMatrix s(rows, a.cols);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < a.cols; ++j) s(i, j) = a(first + i, j);
  return s;
}

constexpr int orders[] = {1, 2, 15, 17, 97, 127, 211};  // 97 and more are cut into blocks

template <class B>
struct Symmetric : ::testing::Test {
  using Real = typename B::T;
  using Space = typename B::Exec;
  static constexpr double eps = std::numeric_limits<Real>::epsilon();
  Space exec{};

  Matrix<Real, Space> nan(int m, int n) {
    Matrix<Real, Space> c("kaon::test::C", static_cast<std::size_t>(m), static_cast<std::size_t>(n));
    Kokkos::deep_copy(c, std::numeric_limits<Real>::quiet_NaN());
    return c;
  }
  HostMatrix host(Matrix<Real, Space> const& c) {
    exec.fence();
    return test::to_host(c);
  }
};
TYPED_TEST_SUITE(Symmetric, test::Backends, test::BackendNames);

TYPED_TEST(Symmetric, SquaresMatchTheTripleLoop) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (int const n : orders)
    for (int const k : {1, 13, 130})
      for (Op const op : {Op::none, Op::transpose}) {
        auto const A = test::to_device<T, Exec>(op == Op::none ? test::random_matrix(n, k, 81) : test::random_matrix(k, n, 81));
        auto const C = this->nan(n, n);  // beta = 0 may not read C
        syrk<T>(this->exec, C, op, A);
        auto expected = square_of(test::to_host(A), op);
        auto c = this->host(C);
        expect_symmetric(c);
        expect_close(c, expected, 4 * (k + 2) * this->eps * largest(expected), "AAt");
        syrk<T>(this->exec, C, op, A, T(-1.5), T(0.5));
        for (double& x : expected.a) x *= -1;
        c = this->host(C);
        expect_symmetric(c);
        expect_close(c, expected, 8 * (k + 2) * this->eps * largest(expected), "beta C - AAt");
      }
}

TYPED_TEST(Symmetric, CommutingProductsAndQuadraticsMatch) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (int const n : orders) {
    HostMatrix base = test::random_matrix(n, n, 82);
    for (double& x : base.a) x /= std::sqrt(n);
    auto const A = test::to_device<T, Exec>(base), S = this->nan(n, n), B = this->nan(n, n), C = this->nan(n, n);
    syrk<T>(this->exec, S, Op::none, A);
    symmetric_quadratic<T>(this->exec, B, T(0.5), T(-2), T(0.25), S);
    auto const s = this->host(S), b = this->host(B), s2 = product(s, s);
    HostMatrix expected(n, n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) expected(i, j) = (i == j ? 0.5 : 0) - 2 * s(i, j) + 0.25 * s2(i, j);
    expect_symmetric(b);
    expect_close(b, expected, (n + 4) * this->eps * (0.5 + 2 * largest(s) + 0.25 * size_of(s, s)), "aI + bA + cA2");
    commuting_product<T>(this->exec, C, S, B);
    auto c = this->host(C);
    expect_symmetric(c);
    double const size = size_of(s, b);
    expect_close(c, product(s, b), (n + 4) * this->eps * size, "AB");
    commuting_product<T>(this->exec, C, S, B, T(2), T(-2));
    expect_close(this->host(C), HostMatrix(n, n), 16 * this->eps * size, "2AB - 2AB");
    commuting_product<T>(this->exec, C, S, S);
    expect_close(this->host(C), s2, (n + 4) * this->eps * size_of(s, s), "AA");
  }
}

TYPED_TEST(Symmetric, AMatrixOfABatchGetsTheBitsThatItGetsAlone) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  int const batch = 3, n = 131, k = 40;
  auto const stack = test::random_matrix(batch * n, k, 83);
  auto const A = test::to_device<T, Exec>(stack);
  auto const C = this->nan(batch * n, n), Q = this->nan(batch * n, n), D = this->nan(batch * n, n);
  syrk<T>(this->exec, C, Op::none, A, T(0.01), T(0), batch);
  symmetric_quadratic<T>(this->exec, Q, T(1), T(2), T(3), C, batch);
  commuting_product<T>(this->exec, D, C, Q, T(1), T(0), batch);
  auto const c = this->host(C), q = this->host(Q), d = this->host(D);
  for (int b = 0; b < batch; ++b) {
    auto const A1 = test::to_device<T, Exec>(slice(stack, b * n, n));
    auto const C1 = this->nan(n, n), Q1 = this->nan(n, n), D1 = this->nan(n, n);
    syrk<T>(this->exec, C1, Op::none, A1, T(0.01));
    symmetric_quadratic<T>(this->exec, Q1, T(1), T(2), T(3), C1);
    commuting_product<T>(this->exec, D1, C1, Q1);
    if (!runs_on_host<Exec>) continue;
    EXPECT_EQ(this->host(C1).a, slice(c, b * n, n).a) << b;
    EXPECT_EQ(this->host(Q1).a, slice(q, b * n, n).a) << b;
    EXPECT_EQ(this->host(D1).a, slice(d, b * n, n).a) << b;
  }
}

TYPED_TEST(Symmetric, StridedBlocksMatchThePortableTwin) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  int const batch = 2, size = 50, m = 13, n = 37, k = 23;  // blocks inside 50×50 matrices
  auto const A = test::to_device<T, Exec>(test::random_matrix(batch * size, size, 84));
  auto const B = test::to_device<T, Exec>(test::random_matrix(batch * size, size, 85));
  auto const before = test::random_matrix(batch * size, size, 86);
  tpl::Strided<T const> const a{A.data() + 3 * size + 5, size, size * size}, b{B.data() + 7, size, size * size};
  for (Op const op_a : {Op::none, Op::transpose})
    for (Op const op_b : {Op::none, Op::transpose})
      for (T const beta : {T(0), T(0.5)}) {
        auto const C = test::to_device<T, Exec>(before), D = test::to_device<T, Exec>(before);
        tpl::strided_gemm<T>(this->exec, m, n, k, T(2), op_a, a, op_b, b, beta, {C.data() + size + 2, size, size * size}, batch);
        tpl::portable_gemm<T>(this->exec, m, n, k, T(2), op_a, a, op_b, b, beta, {D.data() + size + 2, size, size * size}, batch);
        auto const d = this->host(D);
        expect_close(this->host(C), d, 100 * (k + 2) * this->eps, "strided gemm");
        int changed = 0;
        auto const untouched = test::to_host(test::to_device<T, Exec>(before));
        for (std::size_t i = 0; i < d.a.size(); ++i) changed += d.a[i] != untouched.a[i];
        EXPECT_EQ(changed, batch * m * n);  // nothing outside the block
      }
}

TYPED_TEST(Symmetric, RefusesShapesThatDoNotFitAndAliases) {
  using T = typename TypeParam::T;
  auto const S = this->nan(4, 4), C = this->nan(4, 4), R = this->nan(4, 6), D = this->nan(6, 6);
  EXPECT_THROW(syrk<T>(this->exec, C, Op::transpose, R), std::invalid_argument);
  EXPECT_THROW(syrk<T>(this->exec, R, Op::none, R), std::invalid_argument);
  EXPECT_THROW(syrk<T>(this->exec, C, Op::none, C), std::invalid_argument);
  EXPECT_THROW(syrk<T>(this->exec, C, Op::none, R, T(1), T(0), 2), std::invalid_argument);
  EXPECT_THROW(commuting_product<T>(this->exec, C, S, D), std::invalid_argument);
  EXPECT_THROW(commuting_product<T>(this->exec, C, S, C), std::invalid_argument);
  EXPECT_THROW(symmetric_quadratic<T>(this->exec, C, T(1), T(1), T(1), C), std::invalid_argument);
}

TEST(Half, RoundsToNearestEvenAndBack) {
  kaon::test::Untrapped const untrapped;
  struct Row {
    float x, bf16, fp16;
  };
  float const inf = std::numeric_limits<float>::infinity();
  for (auto const& r :
       {Row{1, 1, 1}, Row{-2.5F, -2.5F, -2.5F}, Row{0, 0, 0}, Row{1 + 0x1p-8F, 1, 1 + 0x1p-8F},
        Row{1 + 0x3p-8F, 1 + 0x1p-6F, 1 + 0x3p-8F}, Row{1 + 0x1p-11F, 1, 1}, Row{1 + 0x3p-11F, 1 + 0x0p-7F, 1 + 0x1p-9F},
        Row{65504, 65536, 65504}, Row{65520, 65536, inf}, Row{-1e30F, -0x1.94p99F, -inf}, Row{0x1p-24F, 0x1p-24F, 0x1p-24F},
        Row{0x1p-25F, 0x1p-25F, 0}, Row{0x3p-25F, 0x3p-25F, 0x1p-23F}, Row{0x1p-14F, 0x1p-14F, 0x1p-14F}, Row{inf, inf, inf}}) {
    EXPECT_EQ(tpl::Bf16{}(tpl::Bf16::from(r.x)), r.bf16) << r.x;
    EXPECT_EQ(tpl::Fp16{}(tpl::Fp16::from(r.x)), r.fp16) << r.x;
  }
  EXPECT_TRUE(std::isnan(tpl::Bf16{}(tpl::Bf16::from(std::nanf("")))));
  EXPECT_TRUE(std::isnan(tpl::Fp16{}(tpl::Fp16::from(std::nanf("")))));
  for (std::uint32_t h = 0; h < 65536; ++h) {  // every number of both formats comes back
    auto const bits = static_cast<std::uint16_t>(h);
    if (!std::isnan(tpl::Fp16{}(bits))) {
      ASSERT_EQ(tpl::Fp16::from(tpl::Fp16{}(bits)), bits);
    }
    if (!std::isnan(tpl::Bf16{}(bits))) {
      ASSERT_EQ(tpl::Bf16::from(tpl::Bf16{}(bits)), bits);
    }
  }
}

TYPED_TEST(Symmetric, HalfProductsMatchTheTwinAndTheTripleLoop) {
  using Exec = typename TypeParam::Exec;
  int const m = 19, n = 33, k = 47, batch = 2;
  for (HalfKind const kind : {HalfKind::bf16, HalfKind::fp16}) {
    auto const A = test::to_device<float, Exec>(test::random_matrix(batch * m, k, 87));
    auto const B = test::to_device<float, Exec>(test::random_matrix(batch * n, k, 88));
    HalfMatrix<Exec> const a("kaon::test::a", A.extent(0), A.extent(1)), b("kaon::test::b", B.extent(0), B.extent(1));
    Matrix<float, Exec> const C("kaon::test::C", batch * m, n), D("kaon::test::D", batch * m, n);
    round_to_half<Exec>(this->exec, kind, a, A);
    round_to_half<Exec>(this->exec, kind, b, B);
    half_gemm<Exec>(this->exec, kind, C, Op::none, a, Op::transpose, b, 1, 0, batch);
    portable_half_gemm<Exec>(this->exec, kind, D, Op::none, a, Op::transpose, b, 1, 0, batch);
    Matrix<float, Exec> const wide_a("kaon::test::wide_a", A.extent(0), A.extent(1)),
        wide_b("kaon::test::wide_b", B.extent(0), B.extent(1));
    widen_half<Exec>(this->exec, kind, wide_a, a);
    widen_half<Exec>(this->exec, kind, wide_b, b);
    this->exec.fence();
    auto const x = test::to_host(wide_a), y = test::to_host(wide_b), original = test::to_host(A);
    double const step = kind == HalfKind::bf16 ? 0x1p-8 : 0x1p-11;
    for (std::size_t i = 0; i < x.a.size(); ++i)
      ASSERT_LE(std::fabs(x.a[i] - original.a[i]), 1.01 * step * std::fabs(original.a[i]) + 0x1p-25);
    HostMatrix expected(batch * m, n);
    for (int i = 0; i < batch * m; ++i)
      for (int j = 0; j < n; ++j)
        for (int l = 0; l < k; ++l) expected(i, j) += x(i, l) * y(i / m * n + j, l);
    expect_close(test::to_host(C), expected, (k + 2) * 0x1p-24 * k, "half gemm");
    expect_close(test::to_host(D), expected, (k + 2) * 0x1p-24 * k, "half twin");
  }
}

}  // namespace symmetric_test
}  // namespace kaon
