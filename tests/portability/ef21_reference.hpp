// EF21-Muon (method, section 2) in plain loops and fp64 on the quadratic of tests/support: the slow twin of the whole step.
#ifndef KAON_PORTABILITY_EF21_REFERENCE_HPP
#define KAON_PORTABILITY_EF21_REFERENCE_HPP

#include <kaon/compress/permutation.hpp>
#include <kaon/polar/coefficients.hpp>
#include <kaon/random/stream.hpp>
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

/// Every entry up or down to a power of two, up where the fraction in units of 2⁻³² exceeds word i of the stream.
inline HostMatrix stochastic_natural_reference(HostMatrix const& x, StreamKey const& key) {
  HostMatrix c(x.rows, x.cols);
  for (std::size_t e = 0; e < c.a.size(); ++e) {
    if (x.a[e] == 0) continue;
    int exponent = 0;
    double const fraction = 2 * std::frexp(std::abs(x.a[e]), &exponent) - 1;  // |x| = (1 + fraction) 2^(exponent − 1)
    bool const up = std::floor(fraction * 0x1p32) > static_cast<double>(random_word(key, e));
    c.a[e] = std::copysign(std::ldexp(1.0, exponent - (up ? 0 : 1)), x.a[e]);
  }
  return c;
}

/// The entries that the key's permutation puts first, whatever x holds.
inline HostMatrix random_entries_reference(HostMatrix const& x, double fraction, StreamKey key) {
  key.seed ^= 0x9e3779b97f4a7c15ULL * 3;  // the stream of rand:F
  Words const w = random_words(key, 0);
  auto chosen = Permutation::of_size(static_cast<std::int64_t>(x.a.size()));
  chosen.seed(w.v[0] | static_cast<std::uint64_t>(w.v[1]) << 32);
  HostMatrix c(x.rows, x.cols);
  auto const kept = std::max<std::size_t>(1, static_cast<std::size_t>(fraction * static_cast<double>(x.a.size()) * (1 + 1e-14)));
  for (std::size_t i = 0; i < kept; ++i) {
    auto const at = chosen(static_cast<std::uint32_t>(i));
    c.a[at] = x.a[at];
  }
  return c;
}

/// Everything or nothing, by the key's coin.
inline HostMatrix dropout_reference(HostMatrix const& x, double probability, StreamKey key) {
  key.seed ^= 0x9e3779b97f4a7c15ULL * 4;  // the stream of dropout:P
  return random_uniform(key, 0) < probability ? x : HostMatrix(x.rows, x.cols);
}

/// What a compressor makes of x; random ones draw from the same counter-based stream as Kaon's.
using Codec = std::function<HostMatrix(HostMatrix const&, StreamKey const&)>;
/// ‖G‖_* = −⟨G, Z⟩, Z the oracle's answer on the unit ball.
inline double dual_norm(HostMatrix const& g, HostMatrix const& z) {
  return -std::inner_product(g.a.begin(), g.a.end(), z.a.begin(), 0.0);
}

/// The settings of one layer and of the optimizer, as in LayerSettings and OptimizerSettings.
struct Ef21Settings {
  double radius = 0, beta = 1, decay = 0;
  bool nesterov = false, adaptive = false, zero_start = false;
  std::uint64_t seed = 1;
  std::uint32_t layer = 0;
};

/// One layer of (1/m) Σ_b ½‖X − T_jb‖² averaged over the workers j, m micro-batches each.
struct Ef21Reference {
  std::vector<std::vector<HostMatrix>> targets;  // [worker][micro-batch]
  std::vector<HostMatrix> M, G_worker;
  HostMatrix X, W, G;
  Map oracle;
  Codec up, down;
  Ef21Settings s;

  Ef21Reference(HostMatrix start, std::vector<std::vector<HostMatrix>> t, Map lmo, Codec uplink, Codec downlink,
                Ef21Settings const& settings)
      : targets(std::move(t)),
        M(targets.size(), HostMatrix(start.rows, start.cols)),
        G_worker(M),
        X(start),
        W(start),
        G(start.rows, start.cols),
        oracle(std::move(lmo)),
        up(std::move(uplink)),
        down(std::move(downlink)),
        s(settings) {}

  static void axpy(HostMatrix& y, double a, HostMatrix const& x) {
    for (std::size_t e = 0; e < y.a.size(); ++e) y.a[e] += a * x.a[e];
  }
  static HostMatrix difference(HostMatrix const& a, HostMatrix const& b) {
    auto d = a;
    axpy(d, -1, b);
    return d;
  }
  /// (1 − weight)·a + weight·b.
  static HostMatrix mix(HostMatrix const& a, HostMatrix const& b, double weight) {
    HostMatrix c(a.rows, a.cols);
    for (std::size_t e = 0; e < c.a.size(); ++e) c.a[e] = (1 - weight) * a.a[e] + weight * b.a[e];
    return c;
  }

  void step(std::uint32_t k, double multiplier) {
    double const share = 1.0 / static_cast<double>(targets.size());
    bool const dense = k == 0 && !s.zero_start;
    double const beta = dense ? 1 : s.beta;
    for (std::size_t j = 0; j < targets.size(); ++j) {
      HostMatrix gradient(W.rows, W.cols);
      for (auto const& t : targets[j]) axpy(gradient, 1 / static_cast<double>(targets[j].size()), difference(W, t));
      M[j] = mix(M[j], gradient, beta);
      auto const target = s.nesterov ? mix(M[j], gradient, beta) : M[j];
      auto const shift = difference(target, G_worker[j]);
      auto const message = dense ? shift : up(shift, {s.seed, Purpose::compress_up, k, s.layer, static_cast<std::uint32_t>(j)});
      axpy(G_worker[j], 1, message);
      axpy(G, share, message);
    }
    auto const z = oracle(G);
    double const t = s.radius * multiplier * (s.adaptive ? dual_norm(G, z) : 1);
    for (double& x : X.a) x *= 1 - t * s.decay;
    axpy(X, t, z);
    axpy(W, 1, down(difference(X, W), {s.seed, Purpose::compress_down, k, s.layer, 0}));
  }
};

}  // namespace kaon::test

#endif
