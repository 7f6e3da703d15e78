#include "ef21_reference.hpp"
#include "report.hpp"

#include <kaon/linalg/eigen.hpp>
#include <kaon/linalg/svd_host.hpp>
#include <kaon/linalg/symmetric.hpp>
#include <kaon/linalg/tpl/half_gemm.hpp>
#include <kaon/polar/gram_eigen.hpp>
#include <kaon/polar/polar.hpp>
#include <kaon/polar/qdwh.hpp>

#include <cmath>

namespace kaon {
namespace polar_test {

using namespace test;

template <class B>
struct PortablePolar : ::testing::Test {};
TYPED_TEST_SUITE(PortablePolar, Backends, BackendNames);

constexpr int shapes[][2] = {{40, 90}, {90, 40}, {64, 64}, {1, 17}, {33, 1}};

template <class T>
HostMatrix rounded_matrix(int m, int n, std::uint64_t seed) {
  auto a = random_matrix(m, n, seed);
  for (auto& v : a.a) v = static_cast<double>(static_cast<T>(v));
  return a;
}

/// U f(Σ) Vᵀ by LAPACK in fp64.
HostMatrix of_values(HostMatrix const& g, std::function<double(double)> const& f) {
  auto const svd = svd_host<double>(g.rows, g.cols, g.a);
  HostMatrix u(g.rows, svd.rank), vt(svd.rank, g.cols);
  u.a = svd.u;
  vt.a = svd.vt;
  for (int i = 0; i < u.rows; ++i)
    for (int l = 0; l < u.cols; ++l) u(i, l) *= f(svd.s[static_cast<std::size_t>(l)]);
  return product(u, vt);
}

template <class T, class Exec>
Matrix<T, Exec> like(HostMatrix const& g) {
  return Matrix<T, Exec>("kaon::test::Z", static_cast<std::size_t>(g.rows), static_cast<std::size_t>(g.cols));
}

TYPED_TEST(PortablePolar, Polynomials) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  for (auto const& form : polar_forms())
    for (int const steps : {5, 8})
      for (auto const& [m, n] : shapes) {
        auto const g = rounded_matrix<T>(m, n, 41);
        PolarSettings settings;
        settings.form = form;
        settings.steps = steps;
        Polar<T, Exec> polar(settings, m, n);
        auto const Z = like<T, Exec>(g);
        polar(exec, Z, to_device<T, Exec>(g));
        exec.fence();
        double const norm = frobenius(g);
        auto const reference = of_values(g, [&](double s) { return polar_map(polar.table(), s / norm); });
        // The rounding of a Gram matrix grows by a² a step (plan.hpp): its own bound.
        bool const standard = form == "standard" || form == "symmetric";
        record<TypeParam>("polar polynomial, form " + form + ", " + std::to_string(steps) + " steps",
                          relative_error(to_host(Z), reference), ulps<T>(standard ? 150 : 3e4));
      }
}

TYPED_TEST(PortablePolar, ScalingToleranceAndBatch) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  PolarSettings settings;
  settings.set = "minimax";
  settings.tolerance = 1e-3;
  settings.scaling = "spectral";
  int const m = 24, n = 60, batch = 3;
  auto const g = rounded_matrix<T>(batch * m, n, 42);
  Polar<T, Exec> polar(settings, m, n, batch);
  auto const Z = like<T, Exec>(g);
  polar(exec, Z, to_device<T, Exec>(g));
  exec.fence();
  auto const z = to_host(Z);
  for (int b = 0; b < batch; ++b) {
    HostMatrix one(m, n), found(m, n);
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) one(i, j) = g(b * m + i, j), found(i, j) = z(b * m + i, j);
    // Random 24×60 matrices have κ below 10, so every value lies where the tolerance holds; in entries of Z, at most 1.
    record<TypeParam>("polar polynomial within 1e-3, spectral scaling, batch of 3 (absolute)",
                      relative_error(found, of_values(one, [](double) { return 1.0; })), 2e-3);
  }
}

TYPED_TEST(PortablePolar, Exact) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  for (auto const& [m, n] : shapes) {
    auto const g = rounded_matrix<T>(m, n, 43);
    auto const reference = of_values(g, [](double) { return 1.0; });
    auto const Z = like<T, Exec>(g);
    GramPolar<T, Exec> exact(m, n);
    exact(exec, Z, to_device<T, Exec>(g));
    exec.fence();
    record<TypeParam>("exact polar factor", relative_error(to_host(Z), reference), ulps<T>(40));
    if constexpr (sizeof(T) == 8) {
      Qdwh<Exec> qdwh(m, n);
      qdwh(exec, Z, to_device<T, Exec>(g));
      exec.fence();
      record<TypeParam>("polar factor by QDWH", relative_error(to_host(Z), reference), ulps<T>(100));
    }
  }
}

TYPED_TEST(PortablePolar, SymmetricProductsAndEigenproblem) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  auto const x = rounded_matrix<T>(150, 70, 44);
  auto const X = to_device<T, Exec>(x);
  auto const gram = product(transposed(x), x);
  auto const A = like<T, Exec>(gram), C = like<T, Exec>(gram), D = like<T, Exec>(gram);
  syrk<T>(exec, A, Op::transpose, X, T(1.0 / 150));
  exec.fence();
  auto const a = to_host(A);  // the products below start from what the device has
  commuting_product<T>(exec, C, A, A);
  symmetric_quadratic<T>(exec, D, T(3), T(-2), T(0.5), A);
  exec.fence();
  auto scaled = gram, quadratic = product(a, a);
  for (auto& v : scaled.a) v /= 150;
  record<TypeParam>("symmetric rank update", relative_error(a, scaled), ulps<T>(150));
  record<TypeParam>("product of commuting matrices", relative_error(to_host(C), quadratic), ulps<T>(70));
  for (std::size_t e = 0; e < quadratic.a.size(); ++e) quadratic.a[e] = -2 * a.a[e] + 0.5 * quadratic.a[e];
  for (int i = 0; i < quadratic.rows; ++i) quadratic(i, i) += 3;
  record<TypeParam>("quadratic of a symmetric matrix", relative_error(to_host(D), quadratic), ulps<T>(70));
  if constexpr (sizeof(T) == 8) {
    for (auto const route : {EigenRoute::best, EigenRoute::jacobi}) {
      auto const V = to_device<double, Exec>(a);
      Vector<double, Exec> const values("kaon::test::values", 70);
      SymmetricEigen<Exec> eigen(70, route);
      eigen(exec, values, V);
      exec.fence();
      auto const l = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, values);
      auto const v = to_host(V);
      auto weighted = v;
      for (int i = 0; i < 70; ++i)
        for (int j = 0; j < 70; ++j) weighted(i, j) *= l(static_cast<std::size_t>(i));
      record<TypeParam>(route == EigenRoute::best ? "eigenproblem" : "eigenproblem by Jacobi rotations",
                        relative_error(product(transposed(v), weighted), a), ulps<T>(200));
    }
  }
}

TYPED_TEST(PortablePolar, HalfProducts) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  if constexpr (sizeof(T) == 4) {
    Exec const exec;
    auto const a = rounded_matrix<float>(37, 64, 45), b = rounded_matrix<float>(29, 64, 46);
    for (auto const kind : {HalfKind::bf16, HalfKind::fp16}) {
      HalfMatrix<Exec> const A("kaon::test::half", 37, 64), B("kaon::test::half", 29, 64);
      Matrix<float, Exec> const C("kaon::test::C", 37, 29), wide_a("kaon::test::A", 37, 64), wide_b("kaon::test::B", 29, 64);
      round_to_half<Exec>(exec, kind, A, to_device<float, Exec>(a));
      round_to_half<Exec>(exec, kind, B, to_device<float, Exec>(b));
      widen_half<Exec>(exec, kind, wide_a, A);
      widen_half<Exec>(exec, kind, wide_b, B);
      half_gemm<Exec>(exec, kind, C, Op::none, A, Op::transpose, B);
      exec.fence();
      record<TypeParam>("half-precision product with fp32 sums",
                        relative_error(to_host(C), product(to_host(wide_a), transposed(to_host(wide_b)))), ulps<float>(66));
    }
  }
}

}  // namespace polar_test
}  // namespace kaon
