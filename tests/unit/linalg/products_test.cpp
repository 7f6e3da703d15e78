// What every dense product promises: the same call twice gives the same bits, and fp64 is met within the bound of its sums; on
// the shapes for which libraries take odd paths (few entries and a long inner length, one row, one column, nothing at all).
#include <kaon/linalg/dot_product_gemm.hpp>
#include <kaon/linalg/panel_gemm.hpp>
#include <kaon/linalg/symmetric.hpp>
#include <kaon/linalg/tpl/half_gemm.hpp>
#include <kaon/linalg/tpl/strided_gemm.hpp>

#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <string>

namespace kaon {
namespace products_test {

using test::HostMatrix;

struct Shape {
  int m, n, k;
};
// rank:F of a layer with 50304 rows (embed, head), the thresholds of the libraries' odd paths on both sides, rows, columns,
// nothing.
constexpr Shape shapes[] = {{1, 1, 1},    {1, 1, 20011},  {7, 7, 50304},   {9, 9, 12288}, {3, 11, 12289}, {10, 10, 16385},
                            {9, 11, 431}, {40, 40, 3001}, {41, 40, 12288}, {257, 1, 33},  {1, 513, 70},   {1, 300, 12289},
                            {2, 3, 0},    {0, 5, 4},      {5, 0, 4},       {130, 67, 3}};

HostMatrix transposed(HostMatrix const& a) {
  HostMatrix t(a.cols, a.rows);
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) t(j, i) = a(i, j);
  return t;
}

template <class T>
HostMatrix rounded(HostMatrix a) {
  for (double& x : a.a) x = static_cast<double>(static_cast<T>(x));
  return a;
}

/// A·Bt and |A|·|Bt| by dot products of rows, in fp64.
struct Reference {
  HostMatrix value, size;
  Reference(HostMatrix const& a, HostMatrix const& bt) : value(a.rows, bt.rows), size(a.rows, bt.rows) {
    for (int i = 0; i < a.rows; ++i)
      for (int j = 0; j < bt.rows; ++j) {
        double sum = 0, terms = 0;
        for (int l = 0; l < a.cols; ++l) {
          double const x = a(i, l) * bt(j, l);
          sum += x;
          terms += std::fabs(x);
        }
        value(i, j) = sum;
        size(i, j) = terms;
      }
  }
};

template <class T, class Exec>
std::vector<T> bits(Matrix<T, Exec> const& d) {
  auto const m = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, d);
  return {m.data(), m.data() + m.size()};
}

/// Error over bound, the worst of the calls of one product.
struct Worst {
  double error = 0, bound = 1;
  void take(double e, double b) {
    if (!(e / b <= error / bound)) error = e, bound = b;
  }
  void print(char const* product, std::string const& where) const {
    std::printf("%-20s %-18s error %.2e of the sum of |terms|, bound %.2e\n", product, where.c_str(), error, bound);
  }
};

template <class B>
struct Products : ::testing::Test {
  using Real = typename B::T;
  using Where = typename B::Exec;
  using Result = Matrix<Real, Where>;
  static constexpr double eps = std::numeric_limits<Real>::epsilon();
  static std::string where() { return std::string(Where::name()) + (sizeof(Real) == 4 ? ", float" : ", double"); }

  /// Four calls of `call(C)` on one start, which must leave the same bits; then fp64, entry by entry.
  void check(Worst& worst, std::string const& what, HostMatrix const& start, double beta, double alpha, Reference const& expected,
             int terms, std::function<void(Result const&)> const& call) {
    std::vector<Real> first;
    for (int turn = 0; turn < 4; ++turn) {
      auto const C = test::to_device<Real, Where>(start);
      if (beta == 0) Kokkos::deep_copy(C, std::numeric_limits<Real>::quiet_NaN());  // may not be read
      call(C);
      Where().fence();
      auto const now = bits(C);
      if (turn == 0) first = now;
      ASSERT_TRUE(now.empty() || std::memcmp(now.data(), first.data(), now.size() * sizeof(Real)) == 0)
          << what << ": other bits in call " << turn;
    }
    for (std::size_t e = 0; e < first.size(); ++e) {
      double const value = alpha * expected.value.a[e] + (beta == 0 ? 0 : beta * start.a[e]);
      double const size = std::fabs(alpha) * expected.size.a[e] + (beta == 0 ? 0 : std::fabs(beta * start.a[e]));
      ASSERT_TRUE(std::isfinite(first[e])) << what << ", entry " << e;
      double const error = std::fabs(static_cast<double>(first[e]) - value);
      ASSERT_LE(error, (terms + 4) * eps * size) << what << ", entry " << e;
      if (size > 0) worst.take(error / size, (terms + 4) * eps);
    }
  }
};
TYPED_TEST_SUITE(Products, test::Backends, test::BackendNames);

std::string describe(char const* product, Shape const& s, Op a, Op b, double beta) {
  return std::string(product) + (a == Op::none ? " N" : " T") + (b == Op::none ? "N " : "T ") + std::to_string(s.m) + "x" +
         std::to_string(s.n) + "x" + std::to_string(s.k) + (beta == 0 ? "" : " added");
}

TYPED_TEST(Products, GemmsHaveTheSameBitsTwiceAndTheValueOfFp64) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  using M = Matrix<T, Exec>;
  Exec const exec{};
  Worst plain, panels, strided, portable, dots;
  for (auto const& s : shapes) {
    auto const a = rounded<T>(test::random_matrix(s.m, s.k, 91)), bt = rounded<T>(test::random_matrix(s.n, s.k, 92)),
               start = rounded<T>(test::random_matrix(s.m, s.n, 93));
    Reference const expected(a, bt);
    for (Op const op_a : {Op::none, Op::transpose})
      for (Op const op_b : {Op::none, Op::transpose})
        for (double const beta : {0.0, 0.5}) {
          M const A = test::to_device<T, Exec>(op_a == Op::none ? a : transposed(a));
          M const B = test::to_device<T, Exec>(op_b == Op::none ? transposed(bt) : bt);
          auto const t = static_cast<T>(beta);
          auto const lda = static_cast<int>(A.extent(1)), ldb = static_cast<int>(B.extent(1));
          this->check(plain, describe("gemm", s, op_a, op_b, beta), start, beta, -1.5, expected, s.k,
                      [&](M const& C) { gemm<T>(exec, C, op_a, A, op_b, B, T(-1.5), t); });
          this->check(panels, describe("panel_gemm", s, op_a, op_b, beta), start, beta, -1.5, expected, s.k,
                      [&](M const& C) { panel_gemm<T>(exec, C, op_a, A, op_b, B, T(-1.5), t); });
          if (op_a == Op::transpose && op_b == Op::none && s.m * s.n <= dot_product_entries)
            this->check(dots, describe("dot_product_gemm", s, op_a, op_b, beta), start, beta, -1.5, expected, s.k,
                        [&](M const& C) { dot_product_gemm<T>(exec, C, A, B, T(-1.5), t); });
          this->check(strided, describe("strided_gemm", s, op_a, op_b, beta), start, beta, -1.5, expected, s.k, [&](M const& C) {
            tpl::strided_gemm<T>(exec, s.m, s.n, s.k, T(-1.5), op_a, {A.data(), lda, 0}, op_b, {B.data(), ldb, 0}, t,
                                 {C.data(), s.n, 0}, 1);
          });
          if (std::int64_t{s.m} * s.n * s.k < 5000000)
            this->check(portable, describe("portable_gemm", s, op_a, op_b, beta), start, beta, -1.5, expected, s.k,
                        [&](M const& C) {
                          tpl::portable_gemm<T>(exec, s.m, s.n, s.k, T(-1.5), op_a, {A.data(), lda, 0}, op_b, {B.data(), ldb, 0},
                                                t, {C.data(), s.n, 0}, 1);
                        });
        }
  }
  plain.print("gemm", this->where());
  panels.print("panel_gemm", this->where());
  strided.print("strided_gemm", this->where());
  portable.print("portable_gemm", this->where());
  dots.print("dot_product_gemm", this->where());
}

TYPED_TEST(Products, SymmetricOnesToo) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  using M = Matrix<T, Exec>;
  Exec const exec{};
  Worst grams, squares, syrks, commuting, quadratic;
  for (auto const& s : shapes) {
    if (s.m == 0) continue;
    auto const a = rounded<T>(test::random_matrix(s.m, s.k, 94)), none = HostMatrix(s.m, s.m);
    Reference const expected(a, a);
    M const wide = test::to_device<T, Exec>(a), tall = test::to_device<T, Exec>(transposed(a));
    std::string const shape = " " + std::to_string(s.m) + "x" + std::to_string(s.k);
    this->check(squares, "symmetric_product" + shape, none, 0, 2, expected, s.k,
                [&](M const& C) { symmetric_product<T>(exec, C, wide, T(2)); });
    this->check(grams, "gram" + shape, none, 0, 2, expected, s.k, [&](M const& C) { gram<T>(exec, C, tall, T(2)); });
    this->check(syrks, "syrk N" + shape, none, 0, 2, expected, s.k, [&](M const& C) { syrk<T>(exec, C, Op::none, wide, T(2)); });
    this->check(syrks, "syrk T" + shape, none, 0, 2, expected, s.k,
                [&](M const& C) { syrk<T>(exec, C, Op::transpose, tall, T(2)); });
  }
  for (int const n : {1, 2, 9, 10, 41, 131}) {
    auto s = rounded<T>(test::random_matrix(n, n, 95));
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < i; ++j) s(j, i) = s(i, j);
    M const A = test::to_device<T, Exec>(s);
    Reference expected(s, s);
    std::string const shape = " of order " + std::to_string(n);
    this->check(commuting, "commuting_product" + shape, HostMatrix(n, n), 0, 1, expected, n,
                [&](M const& C) { commuting_product<T>(exec, C, A, A); });
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) {
        expected.value(i, j) += (i == j ? 3 : 0) - 2 * s(i, j);
        expected.size(i, j) += (i == j ? 3 : 0) + 2 * std::fabs(s(i, j));
      }
    this->check(quadratic, "symmetric_quadratic" + shape, HostMatrix(n, n), 0, 1, expected, n,
                [&](M const& C) { symmetric_quadratic<T>(exec, C, T(3), T(-2), T(1), A); });
  }
  squares.print("symmetric_product", this->where());
  grams.print("gram", this->where());
  syrks.print("syrk", this->where());
  commuting.print("commuting_product", this->where());
  quadratic.print("symmetric_quadratic", this->where());
}

TYPED_TEST(Products, HalvesToo) {
  using Exec = typename TypeParam::Exec;
  using M = Matrix<float, Exec>;
  if constexpr (std::is_same_v<typename TypeParam::T, float>) {
    Exec const exec{};
    Worst worst;
    for (HalfKind const kind : {HalfKind::bf16, HalfKind::fp16})
      for (auto const& s : {Shape{7, 7, 12289}, {1, 1, 20011}, {9, 11, 431}, {1, 300, 1000}, {257, 1, 33}}) {
        auto const half = [&](HostMatrix const& a, HostMatrix& as_rounded) {
          M const full = test::to_device<float, Exec>(a);
          HalfMatrix<Exec> const h("kaon::test::half", full.extent(0), full.extent(1));
          round_to_half<Exec>(exec, kind, h, full);
          widen_half<Exec>(exec, kind, full, h);
          exec.fence();
          as_rounded = test::to_host(full);
          return h;
        };
        HostMatrix a, bt;
        auto const A = half(transposed(test::random_matrix(s.m, s.k, 96)), a);
        auto const B = half(transposed(test::random_matrix(s.n, s.k, 97)), bt);
        this->check(worst, describe("half_gemm", s, Op::transpose, Op::none, 0), HostMatrix(s.m, s.n), 0, 1,
                    Reference(transposed(a), transposed(bt)), s.k,
                    [&](M const& C) { half_gemm<Exec>(exec, kind, C, Op::transpose, A, Op::none, B); });
      }
    worst.print("half_gemm", this->where());
  } else {
    GTEST_SKIP() << "inputs of 16 bits are summed in float";
  }
}

TEST(DotProductGemm, IsChosenOnGpusWithoutCublasAndBelowTheLibrariesThresholds) {
  using Host = Kokkos::DefaultHostExecutionSpace;
  EXPECT_FALSE(is_dot_product_gemm<Host>(Op::transpose, Op::none, 7, 7));
  using Space = Kokkos::DefaultExecutionSpace;
  if (runs_on_host<Space>) GTEST_SKIP() << "no GPU";
  if (sums_in_order<Space>) {
    EXPECT_FALSE(is_dot_product_gemm<Space>(Op::transpose, Op::none, 7, 7));
    return;
  }
  EXPECT_TRUE(is_dot_product_gemm<Space>(Op::transpose, Op::none, 7, 7));
  EXPECT_TRUE(is_dot_product_gemm<Space>(Op::transpose, Op::none, 40, 40));
  EXPECT_FALSE(is_dot_product_gemm<Space>(Op::transpose, Op::none, 41, 40));
  EXPECT_FALSE(is_dot_product_gemm<Space>(Op::none, Op::none, 7, 7));
  EXPECT_FALSE(is_dot_product_gemm<Space>(Op::transpose, Op::transpose, 7, 7));
}

}  // namespace products_test
}  // namespace kaon
