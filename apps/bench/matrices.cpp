#include "matrices.hpp"

#include <kaon/linalg/svd_host.hpp>
#include <kaon/random/stream.hpp>

#include <cmath>

namespace kaon::bench {

Matrix<float, Exec> normal_matrix(Exec const& exec, std::string const& label, int rows, int cols, std::uint64_t seed) {
  Matrix<float, Exec> const A(label, static_cast<std::size_t>(rows), static_cast<std::size_t>(cols));
  StreamKey const key{seed, Purpose::test, 0, 0, 0};
  float* const a = A.data();
  Kokkos::parallel_for(
      "kaon::bench::normal_matrix",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(A.size())),
      KOKKOS_LAMBDA(std::int64_t const i) { a[i] = static_cast<float>(random_normal(key, static_cast<std::uint64_t>(i))); });
  return A;
}

std::vector<double> with_values(Conditioned const& of, std::vector<double> const& f) {
  auto const m = static_cast<std::size_t>(of.rows), n = static_cast<std::size_t>(of.cols);
  std::vector<double> a(m * n, 0.0);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t l = 0; l < m; ++l) {
      double const w = of.u[i * m + l] * f[l];
      for (std::size_t j = 0; j < n; ++j) a[i * n + j] += w * of.vt[l * n + j];
    }
  return a;
}

Conditioned conditioned(int rows, int cols, double kappa, std::uint64_t seed) {
  auto const m = static_cast<std::size_t>(rows), n = static_cast<std::size_t>(cols);
  StreamKey const key{seed, Purpose::test, 0, 0, 0};
  std::vector<double> a(m * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = random_normal(key, i);
  auto svd = svd_host<double>(rows, cols, a);
  Conditioned c{rows, cols, {}, {}, std::vector<double>(m), std::move(svd.u), std::move(svd.vt)};
  for (std::size_t i = 0; i < m; ++i) c.s[i] = std::pow(kappa, -static_cast<double>(i) / static_cast<double>(m > 1 ? m - 1 : 1));
  c.G = with_values(c, c.s);
  c.polar = with_values(c, std::vector<double>(m, 1.0));
  return c;
}

double spectral_norm(int rows, int cols, std::vector<double> const& a) { return svd_host<double>(rows, cols, a).s[0]; }

}  // namespace kaon::bench
