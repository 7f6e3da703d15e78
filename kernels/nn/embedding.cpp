#include <kaon/nn/embedding.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {

template <class T, class Exec>
void embed(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstVector<std::int32_t, Exec>> const& tokens,
           In<ConstMatrix<T, Exec>> const& E) {
  require(Y.extent(0) == tokens.extent(0) && Y.extent(1) == E.extent(1), "embed: Y must be tokens × width of E");
  require(Y.size() == 0 || Y.data() != E.data(), "embed: the output is also an input");
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  int const d = static_cast<int>(Y.extent(1));
  Kokkos::parallel_for(
      "kaon::nn::embed", Policy(exec, static_cast<int>(Y.extent(0)), fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        int const p = team.league_rank();
        T const* const from = &E(tokens(p), 0);
        T* const to = &Y(p, 0);
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, d), [=](int const j) { to[j] = from[j]; });
      });
}

template <class T, class Exec>
void embed_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dE, In<ConstVector<std::int32_t, Exec>> const& tokens,
                    In<ConstMatrix<T, Exec>> const& dY, bool const accumulate) {
  require(dY.extent(0) == tokens.extent(0) && dY.extent(1) == dE.extent(1), "embed_backward: dY must be tokens × width of dE");
  require(dE.size() == 0 || dE.data() != dY.data(), "embed_backward: the output is also an input");
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  constexpr int slice = 64;
  int const d = static_cast<int>(dE.extent(1));
  int const vocabulary = static_cast<int>(dE.extent(0));
  int const positions = static_cast<int>(tokens.extent(0));
  // A thread keeps its columns of the slice throughout, so the passes need no barrier between them.
  Kokkos::parallel_for(
      "kaon::nn::embed_backward", Policy(exec, (d + slice - 1) / slice, runs_on_host<Exec> ? 1 : slice),
      KOKKOS_LAMBDA(Member const& team) {
        int const first = team.league_rank() * slice;
        int const width = d - first < slice ? d - first : slice;
        if (!accumulate)
          for (int v = 0; v < vocabulary; ++v) {
            T* const to = &dE(v, first);
            Kokkos::parallel_for(Kokkos::TeamThreadRange(team, width), [=](int const j) { to[j] = T(0); });
          }
        for (int p = 0; p < positions; ++p) {
          T* const to = &dE(tokens(p), first);
          T const* const from = &dY(p, first);
          Kokkos::parallel_for(Kokkos::TeamThreadRange(team, width), [=](int const j) { to[j] += from[j]; });
        }
      });
}

#define KAON_KERNEL(T, Exec)                                                                                                  \
  template void embed<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstVector<std::int32_t, Exec>> const&,          \
                               In<ConstMatrix<T, Exec>> const&);                                                              \
  template void embed_backward<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstVector<std::int32_t, Exec>> const&, \
                                        In<ConstMatrix<T, Exec>> const&, bool);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
