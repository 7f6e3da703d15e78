// The thin SVD reproduces the matrix with orthonormal factors and descending values.
#include <kaon/linalg/svd_host.hpp>

#include <kaon/core/error.hpp>
#include <kaon/support/backends.hpp>

#include <cmath>
#include <limits>

namespace kaon {
namespace svd_host_test {

template <class B>
struct SvdHost : ::testing::Test {};
TYPED_TEST_SUITE(SvdHost, test::Backends, test::BackendNames);

TYPED_TEST(SvdHost, FactorsReproduceTheMatrix) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  double const eps = std::numeric_limits<T>::epsilon();
  for (auto const& [m, n] : {std::pair{1, 1}, {1, 7}, {7, 1}, {20, 20}, {50, 13}, {13, 50}}) {
    auto const A = test::to_device<T, Exec>(test::random_matrix(m, n, 41));
    auto const a = test::to_host(A);
    auto const f = svd_host<T>(Exec{}, A);
    ASSERT_EQ(f.rank, std::min(m, n));
    auto const u = [&](int i, int l) { return static_cast<double>(f.u[static_cast<std::size_t>(i * f.rank + l)]); };
    auto const v = [&](int l, int j) { return static_cast<double>(f.vt[static_cast<std::size_t>(l * n + j)]); };
    double worst = 0;
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) {
        double s = 0;
        for (int l = 0; l < f.rank; ++l) s += u(i, l) * static_cast<double>(f.s[static_cast<std::size_t>(l)]) * v(l, j);
        worst = std::max(worst, std::fabs(s - a(i, j)));
      }
    EXPECT_LE(worst, 30 * eps * static_cast<double>(f.s[0])) << m << "x" << n;
    double orthogonality = 0;
    for (int l = 0; l < f.rank; ++l)
      for (int k = 0; k <= l; ++k) {
        double su = k == l ? -1 : 0, sv = su;
        for (int i = 0; i < m; ++i) su += u(i, l) * u(i, k);
        for (int j = 0; j < n; ++j) sv += v(l, j) * v(k, j);
        orthogonality = std::max({orthogonality, std::fabs(su), std::fabs(sv)});
      }
    EXPECT_LE(orthogonality, 50 * eps);
    for (std::size_t l = 1; l < f.s.size(); ++l) EXPECT_LE(f.s[l], f.s[l - 1]);
  }
}

TEST(SvdHostErrors, RefusesBadLengthsAndNans) {
  EXPECT_THROW(svd_host<double>(2, 3, std::vector<double>(5)), std::invalid_argument);
  EXPECT_THROW(svd_host<double>(1, 2, {1.0, std::nan("")}), NumericalError);
  EXPECT_EQ(svd_host<float>(0, 3, {}).rank, 0);
}

}  // namespace svd_host_test
}  // namespace kaon
