// Dense products against fp64 triple loops, with every transposition and degenerate shapes.
#include <kaon/linalg/gemm.hpp>

#include <kaon/support/backends.hpp>

#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace kaon {
namespace gemm_test {

using test::HostMatrix;

HostMatrix transposed(HostMatrix const& a) {
  HostMatrix t(a.cols, a.rows);
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) t(j, i) = a(i, j);
  return t;
}

/// |C − (alpha·A·B + beta·C0)| ≤ 2·(k + 2)·eps·(|alpha||A||B| + |beta||C0|), entry by entry.
void expect_product(HostMatrix const& c, HostMatrix const& a, HostMatrix const& b, HostMatrix const& before, double alpha,
                    double beta, double eps) {
  for (int i = 0; i < c.rows; ++i)
    for (int j = 0; j < c.cols; ++j) {
      double sum = beta == 0 ? 0 : beta * before(i, j), size = std::fabs(sum);
      for (int l = 0; l < a.cols; ++l) {
        sum += alpha * a(i, l) * b(l, j);
        size += std::fabs(alpha * a(i, l) * b(l, j));
      }
      ASSERT_NEAR(c(i, j), sum, 2 * (a.cols + 2) * eps * size) << i << "," << j;
    }
}

template <class B>
struct Gemm : ::testing::Test {};
TYPED_TEST_SUITE(Gemm, test::Backends, test::BackendNames);

TYPED_TEST(Gemm, MatchesTheTripleLoop) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  double const eps = std::numeric_limits<T>::epsilon();
  for (auto const& [m, n, k] : {std::tuple{1, 1, 1}, {1, 20, 7}, {20, 1, 7}, {20, 7, 1}, {33, 47, 65}})
    for (Op const op_a : {Op::none, Op::transpose})
      for (Op const op_b : {Op::none, Op::transpose})
        for (T const beta : {T(0), T(0.5)}) {
          auto const A =
              test::to_device<T, Exec>(op_a == Op::none ? test::random_matrix(m, k, 71) : test::random_matrix(k, m, 71));
          auto const B =
              test::to_device<T, Exec>(op_b == Op::none ? test::random_matrix(k, n, 72) : test::random_matrix(n, k, 72));
          auto const C = test::to_device<T, Exec>(test::random_matrix(m, n, 73));
          HostMatrix const before = test::to_host(C);
          if (beta == T(0)) Kokkos::deep_copy(C, std::numeric_limits<T>::quiet_NaN());  // beta = 0 may not read C
          Exec exec{};
          gemm<T>(exec, C, op_a, A, op_b, B, T(-1.5), beta);
          exec.fence();
          HostMatrix const a = test::to_host(A), b = test::to_host(B);
          expect_product(test::to_host(C), op_a == Op::none ? a : transposed(a), op_b == Op::none ? b : transposed(b), before,
                         -1.5, static_cast<double>(beta), eps);
        }
}

// Blocks of wider matrices, down to one row and one column: what the blocked factorisations multiply.
TYPED_TEST(Gemm, BlocksOfWiderMatricesAndNothingBesideThem) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  double const eps = std::numeric_limits<T>::epsilon();
  using Range = std::pair<int, int>;
  auto const part = [](HostMatrix const& a, int rows, int cols) {
    HostMatrix p(rows, cols);
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < cols; ++j) p(i, j) = a(i + 1, j + 2);
    return p;
  };
  for (auto const& [m, n, k] : {std::tuple{13, 1, 48}, {1, 13, 48}, {1, 1, 48}, {13, 1, 1}, {13, 5, 48}})
    for (Op const op_a : {Op::none, Op::transpose})
      for (Op const op_b : {Op::none, Op::transpose})
        for (T const beta : {T(0), T(1)}) {
          int const ar = op_a == Op::none ? m : k, ac = op_a == Op::none ? k : m, br = op_b == Op::none ? k : n,
                    bc = op_b == Op::none ? n : k;
          auto const A = test::to_device<T, Exec>(test::random_matrix(ar + 2, ac + 5, 76));
          auto const B = test::to_device<T, Exec>(test::random_matrix(br + 2, bc + 4, 77));
          auto const C = test::to_device<T, Exec>(test::random_matrix(m + 2, n + 3, 78));
          HostMatrix const before = test::to_host(C);
          Exec exec{};
          gemm<T>(exec, Kokkos::subview(C, Range(1, 1 + m), Range(2, 2 + n)), op_a,
                  Kokkos::subview(A, Range(1, 1 + ar), Range(2, 2 + ac)), op_b,
                  Kokkos::subview(B, Range(1, 1 + br), Range(2, 2 + bc)), T(-1), beta);
          exec.fence();
          HostMatrix const a = part(test::to_host(A), ar, ac), b = part(test::to_host(B), br, bc), after = test::to_host(C);
          expect_product(part(after, m, n), op_a == Op::none ? a : transposed(a), op_b == Op::none ? b : transposed(b),
                         part(before, m, n), -1, static_cast<double>(beta), eps);
          for (int i = 0; i < after.rows; ++i)
            for (int j = 0; j < after.cols; ++j)
              if (i < 1 || i > m || j < 2 || j >= 2 + n) {
                ASSERT_EQ(after(i, j), before(i, j)) << i << "," << j;
              }
        }
}

TYPED_TEST(Gemm, SymmetricProductsWriteBothTriangles) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  double const eps = std::numeric_limits<T>::epsilon();
  auto const A = test::to_device<T, Exec>(test::random_matrix(19, 31, 74));
  HostMatrix const a = test::to_host(A);
  Matrix<T, Exec> const left("kaon::test::left", 19, 19), right("kaon::test::right", 31, 31);
  Exec exec{};
  symmetric_product<T>(exec, left, A);
  gram<T>(exec, right, A);
  exec.fence();
  expect_product(test::to_host(left), a, transposed(a), {}, 1, 0, eps);
  expect_product(test::to_host(right), transposed(a), a, {}, 1, 0, eps);
}

TYPED_TEST(Gemm, RefusesShapesThatDoNotFitAndAliases) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Matrix<T, Exec> const A("kaon::test::A", 4, 6), B("kaon::test::B", 6, 4), C("kaon::test::C", 4, 4), D("kaon::test::D", 4, 4);
  EXPECT_THROW(gemm<T>(Exec{}, C, Op::none, A, Op::none, A), std::invalid_argument);
  EXPECT_THROW(gemm<T>(Exec{}, A, Op::none, A, Op::none, B), std::invalid_argument);
  EXPECT_THROW(gemm<T>(Exec{}, C, Op::none, C, Op::none, D), std::invalid_argument);
  EXPECT_THROW(gram<T>(Exec{}, C, A), std::invalid_argument);
  EXPECT_THROW(symmetric_product<T>(Exec{}, C, B), std::invalid_argument);
}

}  // namespace gemm_test
}  // namespace kaon
