#include <kaon/nn/cross_entropy.hpp>

#include <kaon/core/instantiate.hpp>
#include <kaon/core/reduce.hpp>
#include <kaon/nn/exponential.hpp>
#include <kaon/nn/rows.hpp>

namespace kaon {

template <class Exec>
CrossEntropyWorkspace<Exec>::CrossEntropyWorkspace(std::int64_t const rows)
    : losses("kaon::nn::losses", static_cast<std::size_t>(rows)),
      partials("kaon::nn::loss_partials", static_cast<std::size_t>(reduce_blocks(rows))) {}

template <class T, class Exec>
void cross_entropy(Exec const& exec, Out<Scalar<double, Exec>> const& loss, Out<Matrix<T, Exec>> const& logits,
                   CrossEntropyWorkspace<Exec> const& workspace, In<ConstVector<std::int32_t, Exec>> const& targets,
                   double const weight, bool const gradient) {
  auto const n = static_cast<std::int64_t>(logits.extent(0));
  require(targets.extent(0) == logits.extent(0) && logits.extent(1) > 0, "cross_entropy: one target a row of logits");
  require(workspace.losses.extent(0) >= logits.extent(0), "cross_entropy: workspace too small");
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  int const vocabulary = static_cast<int>(logits.extent(1));
  auto const losses = workspace.losses;
  Kokkos::parallel_for(
      "kaon::nn::cross_entropy", Policy(exec, static_cast<int>(n), fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        int const i = team.league_rank();
        T* const l = &logits(i, 0);
        int const target = targets(i);
        T const at_target = l[target];
        T const top = rows::team_max<T, Exec>(team, vocabulary, [=](int const v) { return l[v]; });
        T const sum = rows::team_sum<T, Exec>(team, vocabulary, [=](int const v) { return exponential(l[v] - top); });
        Kokkos::single(Kokkos::PerTeam(team), [=]() {
          losses(i) = math::log(static_cast<double>(sum)) + (static_cast<double>(top) - static_cast<double>(at_target));
        });
        if (gradient) {
          T const factor = static_cast<T>(weight) / sum;
          team.team_barrier();
          Kokkos::parallel_for(Kokkos::TeamThreadRange(team, vocabulary),
                               [=](int const v) { l[v] = factor * exponential(l[v] - top); });
          team.team_barrier();
          Kokkos::single(Kokkos::PerTeam(team), [=]() { l[target] -= static_cast<T>(weight); });
        }
      });
  reduce_sum(
      exec, "kaon::nn::mean_loss", loss, workspace.partials, n,
      KOKKOS_LAMBDA(std::int64_t const i) { return weight * losses(i); });
}

#define KAON_KERNEL(T, Exec)                                                                                                   \
  template void cross_entropy<T, Exec>(Exec const&, Out<Scalar<double, Exec>> const&, Out<Matrix<T, Exec>> const&,             \
                                       CrossEntropyWorkspace<Exec> const&, In<ConstVector<std::int32_t, Exec>> const&, double, \
                                       bool);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)
#define KAON_WORKSPACE(Exec) template struct CrossEntropyWorkspace<Exec>;
KAON_FOR_EACH_SPACE(KAON_WORKSPACE)

}  // namespace kaon
