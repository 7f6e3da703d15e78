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

}  // namespace lmo_test
}  // namespace kaon
