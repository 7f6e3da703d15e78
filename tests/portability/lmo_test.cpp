#include "../unit/lmo/oracle.hpp"
#include "report.hpp"

namespace kaon {
namespace lmo_test {

using namespace test;

template <class B>
struct PortableOracles : ::testing::Test {};
TYPED_TEST_SUITE(PortableOracles, Backends, BackendNames);

TYPED_TEST(PortableOracles, NormInnerProductAndDual) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  for (auto const& chosen : every_norm())
    for (auto const& [m, n] : {std::pair{31, 47}, std::pair{53, 20}}) {
      auto const settings = fitted(chosen, m, n);
      auto const G = to_device<T, Exec>(random_matrix(m, n, 51));
      auto const g = to_host(G);
      Matrix<T, Exec> const Z("kaon::test::Z", G.extent(0), G.extent(1));
      Scalar<double, Exec> const result("kaon::test::dual");
      auto const lmo = make_lmo<T, Exec>(settings, m, n);
      lmo->apply(exec, Z, G);
      lmo->dual_norm(exec, result, G, Z);
      exec.fence();
      auto const z = to_host(Z);
      double dual = 0;
      Kokkos::deep_copy(dual, result);
      double const expected = lmo->scale() * norms_of(settings, g).dual;
      double const error = std::max({std::abs(norms_of(settings, z).norm / lmo->scale() - 1),
                                     std::abs(dot_of(g, z) / expected + 1), std::abs(dual / expected - 1)});
      // Ten polynomial steps leave rounding of a few hundred ε; all else is a handful of operations or fp64 inside.
      bool const polynomial = chosen.norm == "spectral" && !chosen.polar.exact && !chosen.polar.qdwh;
      record<TypeParam>("oracle " + describe(chosen) + ": norm, inner product, dual", error,
                        ulps<T>(polynomial ? 60 : 12) + 1e-14);
    }
}

TYPED_TEST(PortableOracles, EntriesWhoseSquaresLeaveTheRange) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  int const far = sizeof(T) == 4 ? 118 : 900;
  for (auto const& settings : every_norm())
    for (int const shift : {-far, far}) {
      auto g = random_matrix(12, 7, 52);
      Matrix<T, Exec> const Z("kaon::test::Z", 12, 7);
      auto const lmo = make_lmo<T, Exec>(settings, 12, 7);
      lmo->apply(exec, Z, to_device<T, Exec>(g));
      exec.fence();
      auto const z = to_host(Z);
      for (double& v : g.a) v = std::ldexp(v, shift);
      lmo->apply(exec, Z, to_device<T, Exec>(g));
      exec.fence();
      auto const found = to_host(Z);
      double error = 0;
      for (std::size_t i = 0; i < z.a.size(); ++i) error = std::max(error, std::abs(found.a[i] - z.a[i]));
      record<TypeParam>("oracle " + describe(settings) + ": times 2^" + std::to_string(shift), error, ulps<T>(60) + 1e-14);
    }
}

}  // namespace lmo_test
}  // namespace kaon
