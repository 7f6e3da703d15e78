#include <kaon/nn/norm.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/nn/rows.hpp>

#include <limits>

namespace kaon {

template <class T, class Exec>
void rms_norm(Exec const& exec, Out<Matrix<T, Exec>> const& Y, Out<Vector<T, Exec>> const& scale,
              In<ConstMatrix<T, Exec>> const& X) {
  require(Y.extent(0) == X.extent(0) && Y.extent(1) == X.extent(1), "rms_norm: Y and X differ in shape");
  require(scale.extent(0) == X.extent(0), "rms_norm: scale needs one entry a row");
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  int const d = static_cast<int>(X.extent(1));
  T const nan = std::numeric_limits<T>::quiet_NaN();
  Kokkos::parallel_for(
      "kaon::nn::rms_norm", Policy(exec, static_cast<int>(X.extent(0)), fixed_team_size<Exec>),
      KOKKOS_LAMBDA(Member const& team) {
        int const i = team.league_rank();
        T const* const x = &X(i, 0);
        T* const y = &Y(i, 0);
        T const square = rows::team_sum<T, Exec>(team, d, [=](int const j) { return x[j] * x[j]; });
        T const r = rows::rms_factor<T>(square, d, static_cast<T>(rms_epsilon), nan);
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, d), [=](int const j) { y[j] = r * x[j]; });
        Kokkos::single(Kokkos::PerTeam(team), [=]() { scale(i) = r; });
      });
}

template <class T, class Exec>
void rms_norm_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dX, In<ConstMatrix<T, Exec>> const& dY,
                       In<ConstMatrix<T, Exec>> const& Y, In<ConstVector<T, Exec>> const& scale, bool const accumulate) {
  require(
      dX.extent(0) == Y.extent(0) && dX.extent(1) == Y.extent(1) && dY.extent(0) == Y.extent(0) && dY.extent(1) == Y.extent(1),
      "rms_norm_backward: dX, dY and Y differ in shape");
  require(scale.extent(0) == Y.extent(0), "rms_norm_backward: scale needs one entry a row");
  require(dX.size() == 0 || (dX.data() != Y.data() && !(accumulate && dX.data() == dY.data())),
          "rms_norm_backward: dX overwrites an input");
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  int const d = static_cast<int>(Y.extent(1));
  Kokkos::parallel_for(
      "kaon::nn::rms_norm_backward", Policy(exec, static_cast<int>(Y.extent(0)), fixed_team_size<Exec>),
      KOKKOS_LAMBDA(Member const& team) {
        int const i = team.league_rank();
        T* const dx = &dX(i, 0);
        T const* const dy = &dY(i, 0);
        T const* const y = &Y(i, 0);
        T const r = scale(i);
        T const mean = rows::team_sum<T, Exec>(team, d, [=](int const j) { return dy[j] * y[j]; }) / static_cast<T>(d);
        if (accumulate)
          Kokkos::parallel_for(Kokkos::TeamThreadRange(team, d), [=](int const j) { dx[j] += r * (dy[j] - mean * y[j]); });
        else
          Kokkos::parallel_for(Kokkos::TeamThreadRange(team, d), [=](int const j) { dx[j] = r * (dy[j] - mean * y[j]); });
      });
}

#define KAON_KERNEL(T, Exec)                                                                                          \
  template void rms_norm<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, Out<Vector<T, Exec>> const&,              \
                                  In<ConstMatrix<T, Exec>> const&);                                                   \
  template void rms_norm_backward<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, \
                                           In<ConstMatrix<T, Exec>> const&, In<ConstVector<T, Exec>> const&, bool);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
