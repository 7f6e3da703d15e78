// Products computed in panels by the threads of an execution space: fp64 references, and the same bits on any of them.
#include <kaon/linalg/panel_gemm.hpp>
#include <kaon/linalg/tpl/threaded_gemm.hpp>

#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <tuple>

namespace kaon {
namespace panel_gemm_test {

using test::HostMatrix;

struct Case {
  int m, n, k;
};
// One panel, two along either side with a short last one, and as many as go.
constexpr Case cases[] = {{20, 30, 40}, {770, 9, 5}, {9, 1157, 6}, {771, 770, 3}, {130, 128, 1100}, {3, 384 * 70, 2}};

template <class T, class Exec>
struct Operands {
  Matrix<T, Exec> A, B, C;
  Operands(Case const& s, Op op_a, Op op_b)
      : A(test::to_device<T, Exec>(op_a == Op::none ? test::random_matrix(s.m, s.k, 61) : test::random_matrix(s.k, s.m, 61))),
        B(test::to_device<T, Exec>(op_b == Op::none ? test::random_matrix(s.k, s.n, 62) : test::random_matrix(s.n, s.k, 62))),
        C(test::to_device<T, Exec>(test::random_matrix(s.m, s.n, 63))) {}
};

/// Largest |C − (alpha·op(A)·op(B) + beta·C0)| over Σ|terms|, in fp64.
double relative_error(HostMatrix const& c, HostMatrix const& a, Op op_a, HostMatrix const& b, Op op_b, HostMatrix const& before,
                      double alpha, double beta) {
  int const k = op_a == Op::none ? a.cols : a.rows;
  double worst = 0;
  for (int i = 0; i < c.rows; ++i)
    for (int j = 0; j < c.cols; ++j) {
      double sum = beta == 0 ? 0 : beta * before(i, j), size = std::fabs(sum);
      for (int l = 0; l < k; ++l) {
        double const term = alpha * (op_a == Op::none ? a(i, l) : a(l, i)) * (op_b == Op::none ? b(l, j) : b(j, l));
        sum += term;
        size += std::fabs(term);
      }
      worst = std::max(worst, std::fabs(c(i, j) - sum) / size);
    }
  return worst;
}

TEST(GemmPanels, AreAFunctionOfTheShapeThatKeepsSmallProductsWhole) {
  EXPECT_EQ(gemm_panels(0, 0, 0), 1);
  EXPECT_EQ(gemm_panels(100, 100, 100000), 1);  // too short to cut
  EXPECT_EQ(gemm_panels(128, 128, 1023), 1);    // too little work
  EXPECT_EQ(gemm_panels(128, 128, 1024), 2);
  EXPECT_EQ(gemm_panels(1, 767, 1), 1);
  EXPECT_EQ(gemm_panels(1, 768, 1), 2);
  EXPECT_EQ(gemm_panels(3072, 768, 256), 8);
  EXPECT_EQ(gemm_panels(768, 3072, 256), 8);
  EXPECT_EQ(gemm_panels(256, 50257, 768), 64);
}

template <class B>
struct PanelGemm : ::testing::Test {};
TYPED_TEST_SUITE(PanelGemm, test::Backends, test::BackendNames);

TYPED_TEST(PanelGemm, MatchesTheTripleLoop) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (auto const& s : cases)
    for (Op const op_a : {Op::none, Op::transpose})
      for (Op const op_b : {Op::none, Op::transpose})
        for (T const beta : {T(0), T(0.5)}) {
          Operands<T, Exec> const p(s, op_a, op_b);
          auto const before = test::to_host(p.C);
          if (beta == T(0)) Kokkos::deep_copy(p.C, std::numeric_limits<T>::quiet_NaN());
          Exec const exec;
          panel_gemm<T>(exec, p.C, op_a, p.A, op_b, p.B, T(-1.5), beta);
          exec.fence();
          double const error = relative_error(test::to_host(p.C), test::to_host(p.A), op_a, test::to_host(p.B), op_b, before,
                                              -1.5, static_cast<double>(beta));
          double const tolerance = 2 * (s.k + 2) * std::numeric_limits<T>::epsilon();
          EXPECT_LE(error, tolerance) << s.m << "x" << s.n << "x" << s.k;
          if (op_a == Op::none && op_b == Op::none && beta == T(0))
            std::printf("  %5dx%5dx%4d  error %.2e, tolerance %.2e\n", s.m, s.n, s.k, error, tolerance);
        }
}

#ifdef KOKKOS_ENABLE_SERIAL
// The serial space computes the panels one after the other.
TYPED_TEST(PanelGemm, HasTheBitsOfOneThread) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  if (!tpl::blas_calls_from_threads<Exec>()) GTEST_SKIP() << "not on a host, or BLAS has threads of its own";
  for (auto const& s : cases) {
    Operands<T, Exec> const p(s, Op::transpose, Op::none);
    Operands<T, Kokkos::Serial> const q(s, Op::transpose, Op::none);
    panel_gemm<T>(Exec(), p.C, Op::transpose, p.A, Op::none, p.B);
    panel_gemm<T>(Kokkos::Serial(), q.C, Op::transpose, q.A, Op::none, q.B);
    Exec().fence();
    EXPECT_EQ(test::to_host(p.C).a, test::to_host(q.C).a) << s.m << "x" << s.n << "x" << s.k;
  }
}

#endif

TYPED_TEST(PanelGemm, RefusesWhatDoesNotFit) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  Matrix<T, Exec> const A("kaon::test::A", 800, 8), B("kaon::test::B", 8, 800), C("kaon::test::C", 800, 800);
  Matrix<T, Exec> const low("kaon::test::low", 799, 800), narrow("kaon::test::narrow", 800, 799);
  EXPECT_THROW(panel_gemm<T>(exec, low, Op::none, A, Op::none, B), std::invalid_argument);
  EXPECT_THROW(panel_gemm<T>(exec, narrow, Op::none, A, Op::none, B), std::invalid_argument);
  EXPECT_THROW(panel_gemm<T>(exec, C, Op::none, A, Op::transpose, B), std::invalid_argument);
  EXPECT_THROW(panel_gemm<T>(exec, C, Op::none, C, Op::none, C), std::invalid_argument);
  EXPECT_NO_THROW(panel_gemm<T>(exec, C, Op::none, A, Op::transpose, A));
  exec.fence();
}

}  // namespace panel_gemm_test
}  // namespace kaon
