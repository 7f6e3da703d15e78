#ifndef KAON_CORE_REDUCE_HPP
#define KAON_CORE_REDUCE_HPP

#include <kaon/core/error.hpp>
#include <kaon/core/types.hpp>

#include <string>

namespace kaon {

/// Elements that one team sums; part of the arithmetic: changing it changes bits.
inline constexpr std::int64_t reduce_block = 4096;

inline std::int64_t reduce_blocks(std::int64_t n) { return n == 0 ? 1 : (n + reduce_block - 1) / reduce_block; }

namespace detail {

/// Lanes in which a host adds, so that sums vectorise: entry i of a block goes to lane i mod 8.
inline constexpr int host_lanes = 8;

/// Σ_{i<count} f(begin + i) by the whole team; every thread gets it.
template <class Exec, class Member, class F>
KOKKOS_INLINE_FUNCTION double team_sum(Member const& team, std::int64_t begin, int count, F const& f) {
  double sum = 0;
  if constexpr (runs_on_host<Exec>) {
    double lane[host_lanes] = {};
    int i = 0;
    for (; i + host_lanes <= count; i += host_lanes)
      for (int l = 0; l < host_lanes; ++l) lane[l] += static_cast<double>(f(begin + i + l));
    for (int l = 0; i + l < count; ++l) lane[l] += static_cast<double>(f(begin + i + l));
    for (int half = host_lanes / 2; half > 0; half /= 2)
      for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
    sum = lane[0];
  } else {
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count), [&](int const i, double& s) { s += static_cast<double>(f(begin + i)); }, sum);
  }
  return sum;
}

/// max(0, max_{i<count} f(begin + i)), a NaN passed over.
template <class Exec, class Member, class F>
KOKKOS_INLINE_FUNCTION double team_max(Member const& team, std::int64_t begin, int count, F const& f) {
  double top = 0;
  if constexpr (runs_on_host<Exec>) {
    double lane[host_lanes] = {};
    int i = 0;
    for (; i + host_lanes <= count; i += host_lanes)
      for (int l = 0; l < host_lanes; ++l) {
        double const v = static_cast<double>(f(begin + i + l));
        lane[l] = v > lane[l] ? v : lane[l];
      }
    for (int l = 0; i + l < count; ++l) {
      double const v = static_cast<double>(f(begin + i + l));
      lane[l] = v > lane[l] ? v : lane[l];
    }
    for (double const v : lane) top = v > top ? v : top;
  } else {
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count),
        [&](int const i, double& s) {
          double const v = static_cast<double>(f(begin + i));
          if (v > s) s = v;
        },
        Kokkos::Max<double>(top));
  }
  return top > 0 ? top : 0;
}

}  // namespace detail

/// result() = Σ_{i<n} f(i) in double, in an order fixed by n and the back end alone.
/// `partials` is workspace of at least reduce_blocks(n) doubles. Asynchronous on `exec`; no allocation, no fence.
template <class Exec, class F>
void reduce_sum(Exec const& exec, std::string const& label, Out<Scalar<double, Exec>> const& result,
                Out<Vector<double, Exec>> const& partials, std::int64_t n, F const& f) {
  auto const blocks = reduce_blocks(n);
  require(static_cast<std::int64_t>(partials.extent(0)) >= blocks, "reduce_sum: workspace too small");
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  Kokkos::parallel_for(
      label, Policy(exec, static_cast<int>(blocks), fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        std::int64_t const begin = static_cast<std::int64_t>(team.league_rank()) * reduce_block;
        int const count = static_cast<int>(n - begin < reduce_block ? n - begin : reduce_block);
        double const sum = detail::team_sum<Exec>(team, begin, count, f);
        Kokkos::single(Kokkos::PerTeam(team), [&]() { partials(team.league_rank()) = sum; });
      });
  Kokkos::parallel_for(
      label + "_final", Policy(exec, 1, fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        double sum = 0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, static_cast<int>(blocks)), [&](int const i, double& s) { s += partials(i); }, sum);
        Kokkos::single(Kokkos::PerTeam(team), [&]() { result() = sum; });
      });
}

/// result() = max_{i<n} f(i) in double (0 for n = 0; f ≥ 0; a NaN is passed over). Otherwise as reduce_sum.
template <class Exec, class F>
void reduce_max(Exec const& exec, std::string const& label, Out<Scalar<double, Exec>> const& result,
                Out<Vector<double, Exec>> const& partials, std::int64_t n, F const& f) {
  auto const blocks = reduce_blocks(n);
  require(static_cast<std::int64_t>(partials.extent(0)) >= blocks, "reduce_max: workspace too small");
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  Kokkos::parallel_for(
      label, Policy(exec, static_cast<int>(blocks), fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        std::int64_t const begin = static_cast<std::int64_t>(team.league_rank()) * reduce_block;
        int const count = static_cast<int>(n - begin < reduce_block ? n - begin : reduce_block);
        double const top = detail::team_max<Exec>(team, begin, count, f);
        Kokkos::single(Kokkos::PerTeam(team), [&]() { partials(team.league_rank()) = top; });
      });
  Kokkos::parallel_for(
      label + "_final", Policy(exec, 1, fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        double top = 0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, static_cast<int>(blocks)),
            [&](int const i, double& s) {
              if (partials(i) > s) s = partials(i);
            },
            Kokkos::Max<double>(top));
        Kokkos::single(Kokkos::PerTeam(team), [&]() { result() = top > 0 ? top : 0; });
      });
}

}  // namespace kaon

#endif
