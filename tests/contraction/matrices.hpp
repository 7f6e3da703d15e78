#ifndef KAON_TEST_CONTRACTION_MATRICES_HPP
#define KAON_TEST_CONTRACTION_MATRICES_HPP

#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>

namespace kaon::test {

/// Distributions of matrices, among them the worst cases of the compressors.
inline char const* const distributions[] = {
    "normal",           "student t, 2 dof", "sparse", "rank 1 or 2",       "constant signs",
    "1.5 or 4/3 x 2^e", "one-hot",          "spike",  "orthogonal columns"};
inline constexpr int distribution_count = 9;

/// The t-th matrix of a distribution; entries within float's middle range.
inline HostMatrix draw(int distribution, int m, int n, std::uint32_t t) {
  StreamKey const key{2024, Purpose::test, t, static_cast<std::uint32_t>(distribution), static_cast<std::uint32_t>(1000 * m + n)};
  std::uint64_t next = 1000000;
  auto const uniform = [&] { return random_uniform(key, next++); };
  HostMatrix x(m, n);
  for (std::size_t i = 0; i < x.a.size(); ++i) x.a[i] = random_normal(key, i);
  auto const position = [&] { return static_cast<std::size_t>(uniform() * static_cast<double>(x.a.size())); };
  double const exponent = 20 * uniform() - 10, size = std::exp2(distribution == 5 ? std::floor(exponent) : exponent);
  if (distribution == 1)  // N/√(χ²₂/2)
    for (auto& a : x.a) a /= std::sqrt(-std::log(uniform()));
  if (distribution == 2)
    for (auto& a : x.a) a = uniform() < 0.05 ? a : 0;
  if (distribution == 3) {
    HostMatrix const g = x;
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) x(i, j) = g(i, 0) * g(0, j) + (t % 2 == 0 ? 0.0 : g(i, n - 1) * g(m - 1, j));
  }
  if (distribution == 4)
    for (auto& a : x.a) a = a < 0 ? -1 : 1;
  if (distribution == 5) {  // where the nearest, and where the random power of two errs most
    double const worst = t % 2 == 0 ? 3.0 / 2 : 4.0 / 3;
    for (auto& a : x.a) a = (a < 0 ? -worst : worst) * std::exp2(t % 3 == 0 ? 0 : std::floor(8 * uniform()));
  }
  if (distribution == 6) {
    std::fill(x.a.begin(), x.a.end(), 0.0);
    x.a[position()] = t % 2 == 0 ? 1 : -1;
  }
  if (distribution == 7) {  // one large entry, the others equal: the extremal block of dithering for some 2^-e
    double const level = std::exp2(-8 * uniform());
    for (auto& a : x.a) a = a < 0 ? -level : level;
    x.a[position()] = 1;
  }
  if (distribution == 8) {  // Gram and Schmidt; what does not fit stays as it is
    for (int j = 0; j < std::min(m, n); ++j) {
      for (int pass = 0; pass < 2; ++pass)
        for (int k = 0; k < j; ++k) {
          double d = 0;
          for (int i = 0; i < m; ++i) d += x(i, j) * x(i, k);
          for (int i = 0; i < m; ++i) x(i, j) -= d * x(i, k);
        }
      double s = 0;
      for (int i = 0; i < m; ++i) s += x(i, j) * x(i, j);
      for (int i = 0; i < m; ++i) x(i, j) /= std::sqrt(s);
    }
  }
  for (auto& a : x.a) a = static_cast<double>(static_cast<float>(a * size));
  return x;
}

/// The norms that the campaign measures besides the Euclidean one.
inline char const* const measured_norms[] = {"frobenius", "entry-l1", "max-abs", "column", "row", "column-sum", "row-sum"};
inline constexpr int norm_count = 7;

struct Norms {
  double v[norm_count] = {0, 0, 0, 0, 0, 0, 0};
};
inline Norms norms(HostMatrix const& x) {
  Norms r;
  std::vector<double> columns(static_cast<std::size_t>(x.cols), 0.0);
  for (int i = 0; i < x.rows; ++i) {
    double row = 0;
    for (int j = 0; j < x.cols; ++j) {
      double const a = std::fabs(x(i, j));
      r.v[1] += a;
      r.v[2] = std::max(r.v[2], a);
      row += a * a;
      columns[static_cast<std::size_t>(j)] += a * a;
    }
    r.v[0] += row;
    r.v[4] = std::max(r.v[4], std::sqrt(row));
    r.v[6] += std::sqrt(row);
  }
  r.v[0] = std::sqrt(r.v[0]);
  for (double const c : columns) r.v[3] = std::max(r.v[3], std::sqrt(c)), r.v[5] += std::sqrt(c);
  return r;
}

}  // namespace kaon::test

#endif
