// EF21-Muon (method, section 2) in plain loops and fp64 on the quadratic of tests/support: the slow twin of the whole step.
#ifndef KAON_PORTABILITY_EF21_REFERENCE_HPP
#define KAON_PORTABILITY_EF21_REFERENCE_HPP

#include <kaon/polar/coefficients.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace kaon::test {

using Map = std::function<HostMatrix(HostMatrix const&)>;

inline HostMatrix product(HostMatrix const& a, HostMatrix const& b) {
  HostMatrix c(a.rows, b.cols);
  for (int i = 0; i < a.rows; ++i)
    for (int k = 0; k < a.cols; ++k)
      for (int j = 0; j < b.cols; ++j) c(i, j) += a(i, k) * b(k, j);
  return c;
}

inline HostMatrix transposed(HostMatrix const& a) {
  HostMatrix t(a.cols, a.rows);
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) t(j, i) = a(i, j);
  return t;
}

inline double frobenius(HostMatrix const& a) { return std::sqrt(std::inner_product(a.a.begin(), a.a.end(), a.a.begin(), 0.0)); }

/// −polar factor by the polynomial of `table`.
inline HostMatrix spectral_reference(HostMatrix const& g, std::vector<Triple> const& table) {
  bool const tall = g.rows > g.cols;
  auto x = tall ? transposed(g) : g;
  double const norm = frobenius(x);
  for (auto& v : x.a) v /= norm;
  for (auto const& p : table) {
    auto const a = product(x, transposed(x)), aa = product(a, a);
    HostMatrix f(a.rows, a.cols);
    for (std::size_t e = 0; e < f.a.size(); ++e) f.a[e] = p.b * a.a[e] + p.c * aa.a[e];
    for (int i = 0; i < f.rows; ++i) f(i, i) += p.a;
    x = product(f, x);
  }
  for (auto& v : x.a) v = -v;
  return tall ? transposed(x) : x;
}

inline HostMatrix max_abs_reference(HostMatrix const& g) {
  HostMatrix z(g.rows, g.cols);
  for (std::size_t e = 0; e < z.a.size(); ++e) z.a[e] = g.a[e] > 0 ? -1 : g.a[e] < 0 ? 1 : 0;
  return z;
}

inline HostMatrix row_reference(HostMatrix const& g) {
  HostMatrix z(g.rows, g.cols);
  for (int i = 0; i < g.rows; ++i) {
    double square = 0;
    for (int j = 0; j < g.cols; ++j) square += g(i, j) * g(i, j);
    for (int j = 0; j < g.cols; ++j) z(i, j) = square > 0 ? -g(i, j) / std::sqrt(square) : 0;
  }
  return z;
}

/// TopK with ties to the lower index.
inline HostMatrix top_reference(HostMatrix const& x, double fraction) {
  std::vector<std::size_t> order(x.a.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return std::abs(x.a[i]) > std::abs(x.a[j]); });
  HostMatrix c(x.rows, x.cols);
  auto const kept = std::max<std::size_t>(1, static_cast<std::size_t>(fraction * static_cast<double>(x.a.size()) * (1 + 1e-14)));
  for (std::size_t i = 0; i < kept; ++i) c.a[order[i]] = x.a[order[i]];
  return c;
}

/// Nearest power of two, ties away from zero.
inline HostMatrix natural_reference(HostMatrix const& x) {
  HostMatrix c(x.rows, x.cols);
  for (std::size_t e = 0; e < c.a.size(); ++e) {
    if (x.a[e] == 0) continue;
    int exponent = 0;
    double const fraction = std::frexp(std::abs(x.a[e]), &exponent);  // in [1/2, 1)
    c.a[e] = std::copysign(std::ldexp(1.0, exponent - (fraction < 0.75 ? 1 : 0)), x.a[e]);
  }
  return c;
}

/// One layer of ½‖X − T_j‖² averaged over the workers j.
struct Ef21Reference {
  std::vector<HostMatrix> targets, M, G_worker;
  HostMatrix X, W, G;
  Map oracle, up, down;
  double radius, beta;

  /// Dense start: M_j = G_j = first gradient.
  Ef21Reference(HostMatrix start, std::vector<HostMatrix> t, Map lmo, Map uplink, Map downlink, double r, double b)
      : targets(std::move(t)),
        X(start),
        W(start),
        G(start.rows, start.cols),
        oracle(std::move(lmo)),
        up(std::move(uplink)),
        down(std::move(downlink)),
        radius(r),
        beta(b) {}

  static void axpy(HostMatrix& y, double a, HostMatrix const& x) {
    for (std::size_t e = 0; e < y.a.size(); ++e) y.a[e] += a * x.a[e];
  }
  static HostMatrix difference(HostMatrix const& a, HostMatrix const& b) {
    auto d = a;
    axpy(d, -1, b);
    return d;
  }

  void step() {
    double const share = 1.0 / static_cast<double>(targets.size());
    for (std::size_t j = 0; j < targets.size(); ++j) {
      auto const gradient = difference(W, targets[j]);
      if (M.size() <= j) {
        M.push_back(gradient);
        G_worker.push_back(gradient);
        axpy(G, share, gradient);
        continue;
      }
      for (std::size_t e = 0; e < gradient.a.size(); ++e) M[j].a[e] = (1 - beta) * M[j].a[e] + beta * gradient.a[e];
      auto const message = up(difference(M[j], G_worker[j]));
      axpy(G_worker[j], 1, message);
      axpy(G, share, message);
    }
    axpy(X, radius, oracle(G));
    axpy(W, 1, down(difference(X, W)));
  }
};

}  // namespace kaon::test

#endif
