// Norms and dual norms in fp64 by definition, and every norm with several of its parameters.
#ifndef KAON_TEST_LMO_ORACLE_HPP
#define KAON_TEST_LMO_ORACLE_HPP

#include "odd_norm_example.hpp"

#include <kaon/linalg/svd_host.hpp>
#include <kaon/lmo/lmo.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kaon::test {

inline double dot_of(HostMatrix const& a, HostMatrix const& b) {
  return std::inner_product(a.a.begin(), a.a.end(), b.a.begin(), 0.0);
}

inline std::vector<double> lines(HostMatrix const& a, bool columns) {
  std::vector<double> s(static_cast<std::size_t>(columns ? a.cols : a.rows));
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) s[static_cast<std::size_t>(columns ? j : i)] += a(i, j) * a(i, j);
  for (double& x : s) x = std::sqrt(x);
  return s;
}

inline std::vector<double> line_sums(HostMatrix const& a, bool columns) {
  std::vector<double> s(static_cast<std::size_t>(columns ? a.cols : a.rows));
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) s[static_cast<std::size_t>(columns ? j : i)] += std::fabs(a(i, j));
  return s;
}

inline std::vector<double> line_tops(HostMatrix const& a, bool columns) {
  std::vector<double> s(static_cast<std::size_t>(columns ? a.cols : a.rows));
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) {
      double& x = s[static_cast<std::size_t>(columns ? j : i)];
      x = std::max(x, std::fabs(a(i, j)));
    }
  return s;
}

inline double top(std::vector<double> const& x) { return *std::max_element(x.begin(), x.end()); }
inline double total(std::vector<double> const& x) { return std::accumulate(x.begin(), x.end(), 0.0); }
inline double power_mean(std::vector<double> const& x, double p) {
  double const largest = top(x);
  double s = 0;
  for (double const v : x) s += largest > 0 ? std::pow(v / largest, p) : 0.0;
  return largest * std::pow(s, 1 / p);
}

/// Norm and dual norm in fp64, by definition.
struct Norms {
  double norm, dual;
};
inline Norms norms_of(LmoSettings const& settings, HostMatrix const& a) {
  auto const& name = settings.norm;
  if (name == "frobenius") return {std::sqrt(dot_of(a, a)), std::sqrt(dot_of(a, a))};
  if (name == "column") return {top(lines(a, true)), total(lines(a, true))};
  if (name == "row") return {top(lines(a, false)), total(lines(a, false))};
  if (name == "one-to-one") return {top(line_sums(a, true)), total(line_tops(a, true))};
  if (name == "inf-to-inf") return {top(line_sums(a, false)), total(line_tops(a, false))};
  if (name == "max-abs") return {top(line_tops(a, true)), total(line_sums(a, true))};
  if (name == "odd") {  // of odd columns twice as much counts, and half as much in the dual
    auto twice = a, half = a;
    for (int i = 0; i < a.rows; ++i)
      for (int j = 1; j < a.cols; j += 2) twice(i, j) *= 2, half(i, j) /= 2;
    return {top(line_tops(twice, true)), total(line_sums(half, true))};
  }
  if (name == "l1") return {total(line_sums(a, true)), top(line_tops(a, true))};
  auto const s = svd_host<double>(a.rows, a.cols, a.a).s;
  if (name == "spectral") return {s[0], total(s)};
  if (name == "nuclear") return {total(s), s[0]};
  if (name == "schatten") return {power_mean(s, settings.p), power_mean(s, settings.p / (settings.p - 1))};
  double const first = std::accumulate(s.begin(), s.begin() + std::min<std::ptrdiff_t>(settings.k, std::ssize(s)), 0.0);
  double const other = std::max(s[0], total(s) / settings.k);
  return name == "ky-fan" ? Norms{first, other} : Norms{other, first};
}

inline bool by_singular_values(std::string const& norm) {
  return norm == "spectral" || norm == "nuclear" || norm == "schatten" || norm == "ky-fan" || norm == "dual-ky-fan";
}

inline bool single_entries(std::string const& norm) { return norm == "l1" || norm == "one-to-one" || norm == "inf-to-inf"; }

/// The norm of docs/add-a-norm.md is one more.
inline void add_the_example() {
  static bool const once = (register_norm<OddNorm>(OddNorm<float, Kokkos::DefaultHostExecutionSpace>::traits()), true);
  (void)once;
}

/// Every norm, those with a parameter at several.
inline std::vector<LmoSettings> every_norm() {
  add_the_example();
  std::vector<LmoSettings> all;
  for (auto const& norm : lmo_norms()) {
    LmoSettings s;
    s.norm = norm;
    s.factor = 1.75;
    s.polar.steps = 10;
    if (norm == "schatten")
      for (double const p : {1.05, 1.5, 2.0, 4.0, 200.0}) s.p = p, all.push_back(s);
    else if (norm == "ky-fan" || norm == "dual-ky-fan")
      for (int const k : {1, 2, 5}) s.k = k, all.push_back(s);
    else
      all.push_back(s);
    if (norm == "spectral") {
      s.polar.exact = true, all.push_back(s);
      s.polar.exact = false, s.polar.qdwh = true, all.push_back(s);
    }
  }
  return all;
}

inline std::string describe(LmoSettings const& s) {
  if (s.norm == "schatten") return s.norm + " p=" + std::to_string(s.p);
  if (s.norm == "ky-fan" || s.norm == "dual-ky-fan") return s.norm + " k=" + std::to_string(s.k);
  return s.norm + (s.polar.exact ? " exact" : s.polar.qdwh ? " qdwh" : "");
}

/// Of the norms with a k, the one that a shape allows.
inline LmoSettings fitted(LmoSettings s, int m, int n) {
  s.k = std::min({s.k, m, n});
  return s;
}

}  // namespace kaon::test

#endif
