// Sums and maxima over one row inside a team, in a fixed order.
#ifndef KAON_NN_ROWS_HPP
#define KAON_NN_ROWS_HPP

#include <kaon/core/types.hpp>

namespace kaon::rows {

/// Independent partial sums of a serial row sum: compilers may not reorder floating-point additions, so a loop vectorizes only
/// when it is written with lanes. Part of the arithmetic.
inline constexpr int lanes = 16;

/// Σ_{i<n} f(i) by one thread: lane l adds i ≡ l (mod lanes) in ascending order, then the lanes are added pairwise.
template <class T, class F>
KOKKOS_INLINE_FUNCTION T serial_sum(int const n, F const& f) {
  T s[lanes] = {};
  int i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int l = 0; l < lanes; ++l) s[l] += f(i + l);
  for (int l = 0; i < n; ++i, ++l) s[l] += f(i);
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int l = 0; l < half; ++l) s[l] += s[l + half];
  return s[0];
}

/// max_{i<n} f(i) by one thread; n ≥ 1. A NaN may be passed over.
template <class T, class F>
KOKKOS_INLINE_FUNCTION T serial_max(int const n, F const& f) {
  T s[lanes];
  for (int l = 0; l < lanes; ++l) s[l] = f(0);
  int i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int l = 0; l < lanes; ++l) {
      T const v = f(i + l);
      s[l] = v > s[l] ? v : s[l];
    }
  for (; i < n; ++i) {
    T const v = f(i);
    s[0] = v > s[0] ? v : s[0];
  }
  for (int l = 1; l < lanes; ++l) s[0] = s[l] > s[0] ? s[l] : s[0];
  return s[0];
}

/// Σ_{i<n} f(i) by the whole team; every thread gets the result.
template <class T, class Exec, class Member, class F>
KOKKOS_INLINE_FUNCTION T team_sum(Member const& team, int const n, F const& f) {
  if constexpr (runs_on_host<Exec>) {
    return serial_sum<T>(n, f);
  } else {
    T total = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, n), [&](int const i, T& s) { s += f(i); }, total);
    return total;
  }
}

/// max_{i<n} f(i) by the whole team; n ≥ 1; every thread gets the result.
template <class T, class Exec, class Member, class F>
KOKKOS_INLINE_FUNCTION T team_max(Member const& team, int const n, F const& f) {
  if constexpr (runs_on_host<Exec>) {
    return serial_max<T>(n, f);
  } else {
    T top = f(0);
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, n),
        [&](int const i, T& s) {
          T const v = f(i);
          s = v > s ? v : s;
        },
        Kokkos::Max<T>(top));
    return top;
  }
}

/// 1/√(square/n + epsilon), the factor that brings a row of n numbers with this sum of squares to root mean square 1. `nan` where
/// the sum has left the range of T: 1/∞ would scale the row to zero, and hide that.
template <class T>
KOKKOS_INLINE_FUNCTION T rms_factor(T const square, int const n, T const epsilon, T const nan) {
  return math::isfinite(square) ? T(1) / math::sqrt(square / static_cast<T>(n) + epsilon) : nan;
}

}  // namespace kaon::rows

#endif
