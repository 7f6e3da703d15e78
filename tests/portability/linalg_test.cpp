#include "report.hpp"

#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/linalg/orthonormalize.hpp>
#include <kaon/linalg/transpose.hpp>
#include <kaon/linalg/update.hpp>

#include <cmath>

namespace kaon {
namespace linalg_test {

using namespace test;

template <class B>
struct PortableLinalg : ::testing::Test {};
TYPED_TEST_SUITE(PortableLinalg, Backends, BackendNames);

HostMatrix product(HostMatrix const& a, bool ta, HostMatrix const& b, bool tb) {
  int const m = ta ? a.cols : a.rows, k = ta ? a.rows : a.cols, n = tb ? b.rows : b.cols;
  HostMatrix c(m, n);
  for (int i = 0; i < m; ++i)
    for (int l = 0; l < k; ++l) {
      double const v = ta ? a(l, i) : a(i, l);
      for (int j = 0; j < n; ++j) c(i, j) += v * (tb ? b(j, l) : b(l, j));
    }
  return c;
}

template <class T>
HostMatrix narrowed(HostMatrix m) {
  for (auto& v : m.a) v = static_cast<double>(static_cast<T>(v));
  return m;
}

TYPED_TEST(PortableLinalg, Products) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  for (bool const ta : {false, true})
    for (bool const tb : {false, true}) {
      auto const a = narrowed<T>(ta ? random_matrix(67, 45, 1) : random_matrix(45, 67, 1));
      auto const b = narrowed<T>(tb ? random_matrix(83, 67, 2) : random_matrix(67, 83, 2));
      Matrix<T, Exec> const C("kaon::test::C", 45, 83);
      gemm<T>(exec, C, ta ? Op::transpose : Op::none, to_device<T, Exec>(a), tb ? Op::transpose : Op::none,
              to_device<T, Exec>(b));
      exec.fence();
      record<TypeParam>("gemm", relative_error(to_host(C), product(a, ta, b, tb)), ulps<T>(67));
    }
  auto const x = narrowed<T>(random_matrix(38, 71, 3));
  Matrix<T, Exec> const S("kaon::test::S", 38, 38), R("kaon::test::R", 71, 71), Y("kaon::test::Y", 71, 38);
  symmetric_product<T>(exec, S, to_device<T, Exec>(x));
  gram<T>(exec, R, to_device<T, Exec>(x));
  transpose<T>(exec, Y, to_device<T, Exec>(x));
  exec.fence();
  record<TypeParam>("symmetric product", relative_error(to_host(S), product(x, false, x, true)), ulps<T>(71));
  record<TypeParam>("Gram matrix", relative_error(to_host(R), product(x, true, x, false)), ulps<T>(38));
  auto const y = to_host(Y);
  HostMatrix back(38, 71);
  for (int i = 0; i < 38; ++i)
    for (int j = 0; j < 71; ++j) back(i, j) = y(j, i);
  record<TypeParam>("transpose", relative_error(back, x), 0);
}

TYPED_TEST(PortableLinalg, Sums) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  auto const a = narrowed<T>(random_matrix(131, 157, 4)), b = narrowed<T>(random_matrix(131, 157, 5));
  auto const A = to_device<T, Exec>(a), B = to_device<T, Exec>(b);
  Scalar<double, Exec> const s("kaon::test::s");
  Vector<double, Exec> const partials("kaon::test::partials", static_cast<std::size_t>(norm_workspace(131, 157)));
  double squares = 0, absolute = 0, top = 0, inner = 0;
  for (std::size_t i = 0; i < a.a.size(); ++i) {
    squares += a.a[i] * a.a[i];
    absolute += std::abs(a.a[i]);
    top = std::max(top, std::abs(a.a[i]));
    inner += a.a[i] * b.a[i];
  }
  auto const compare = [&](char const* what, double expected, double scale, double bound) {
    exec.fence();
    double got = 0;
    Kokkos::deep_copy(got, s);
    record<TypeParam>(what, std::abs(got - expected) / scale, bound);
  };
  sum_squares<T>(exec, s, partials, A);
  compare("sum of squares", squares, squares, 1e-13);
  sum_abs<T>(exec, s, partials, A);
  compare("sum of magnitudes", absolute, absolute, 1e-13);
  max_abs<T>(exec, s, partials, A);
  compare("largest magnitude", top, top, 0);
  dot<T>(exec, s, partials, A, B);
  compare("inner product", inner, squares, 1e-13);

  Vector<double, Exec> const columns("kaon::test::columns", 157), rows("kaon::test::rows", 131);
  Vector<double, Exec> const work("kaon::test::work", static_cast<std::size_t>(column_workspace(131, 157)));
  column_sum_squares<T>(exec, columns, work, A);
  row_sum_squares<T>(exec, rows, A);
  exec.fence();
  auto const c = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, columns);
  auto const r = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, rows);
  HostMatrix got_c(1, 157), got_r(1, 131), want_c(1, 157), want_r(1, 131);
  for (int i = 0; i < 131; ++i)
    for (int j = 0; j < 157; ++j) {
      want_c(0, j) += a(i, j) * a(i, j);
      want_r(0, i) += a(i, j) * a(i, j);
    }
  for (int j = 0; j < 157; ++j) got_c(0, j) = c(static_cast<std::size_t>(j));
  for (int i = 0; i < 131; ++i) got_r(0, i) = r(static_cast<std::size_t>(i));
  record<TypeParam>("column sums of squares", relative_error(got_c, want_c), 1e-13);
  record<TypeParam>("row sums of squares", relative_error(got_r, want_r), 1e-13);
}

TYPED_TEST(PortableLinalg, Updates) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  auto const x = narrowed<T>(random_matrix(57, 91, 6)), z = narrowed<T>(random_matrix(57, 91, 7));
  Scalar<double, Exec> const scale("kaon::test::scale");
  Kokkos::deep_copy(scale, 0.75);
  auto const X = to_device<T, Exec>(x), Z = to_device<T, Exec>(z), M = to_device<T, Exec>(x);
  move_along<T>(exec, X, Z, 0.5, scale, 0.1);
  lerp<T>(exec, M, T(0.25), Z);
  exec.fence();
  HostMatrix moved(57, 91), mixed(57, 91);
  double const t = 0.5 * 0.75;
  for (std::size_t i = 0; i < x.a.size(); ++i) {
    moved.a[i] = (1 - t * 0.1) * x.a[i] + t * z.a[i];
    mixed.a[i] = 0.75 * x.a[i] + 0.25 * z.a[i];
  }
  record<TypeParam>("step along the oracle", relative_error(to_host(X), moved), ulps<T>(4));
  record<TypeParam>("momentum", relative_error(to_host(M), mixed), ulps<T>(4));
}

TYPED_TEST(PortableLinalg, Orthonormalization) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  auto q = random_matrix(190, 37, 8);
  for (int i = 0; i < q.rows; ++i) q(i, 20) = 0;
  for (int i = 0; i < q.rows; ++i) q(i, 30) = q(i, 3) - 2 * q(i, 4);
  auto const Q = to_device<T, Exec>(q);
  Orthonormalizer<T, Exec> orthonormalize(190, 37);
  orthonormalize(exec, Q);
  exec.fence();
  auto const g = product(to_host(Q), true, to_host(Q), false);
  HostMatrix want(37, 37);
  for (int i = 0; i < 37; ++i) want(i, i) = i == 20 || i == 30 ? 0 : 1;
  record<TypeParam>("orthonormalization, one zero and one dependent column", relative_error(g, want), ulps<T>(64));
}

}  // namespace linalg_test
}  // namespace kaon
