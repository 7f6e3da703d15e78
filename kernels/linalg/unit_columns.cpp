#include <kaon/linalg/unit_columns.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/norms.hpp>

namespace kaon {
namespace {

/// Squared norms → what a column is multiplied by; 0: it stays.
template <class Exec>
struct InverseRoots {
  Vector<double, Exec> scales;
  KOKKOS_FUNCTION void operator()(int const j) const {
    double const s = scales(j);
    scales(j) = s == 0 ? 0.0 : math::isfinite(s) ? 1.0 / math::sqrt(s) : s;  // what is not finite stays so
  }
};

template <class T, class Exec>
struct ScaleColumns {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Matrix<T, Exec> Q;
  ConstMatrix<T, Exec> R;
  ConstVector<double, Exec> scales;
  int cols;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    T* const to = &Q(team.league_rank(), 0);
    T const* const from = &R(team.league_rank(), 0);
    double const* const by = scales.data();
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, cols), [&](int const j) {
      T const scaled = static_cast<T>(static_cast<double>(from[j]) * by[j]);
      to[j] = by[j] == 0 ? to[j] : scaled;
    });
  }
};

}  // namespace

template <class T, class Exec>
void unit_columns(Exec const& exec, Out<Matrix<T, Exec>> const& Q, Out<Vector<double, Exec>> const& scales,
                  Out<Vector<double, Exec>> const& partials, In<ConstMatrix<T, Exec>> const& R) {
  require(Q.extent(0) == R.extent(0) && Q.extent(1) == R.extent(1), "unit_columns: shapes differ");
  if (R.size() == 0) return;
  int const rows = static_cast<int>(R.extent(0)), cols = static_cast<int>(R.extent(1));
  column_sum_squares<T>(exec, scales, partials, R);
  Kokkos::parallel_for("kaon::linalg::unit_columns_norms", Kokkos::RangePolicy<Exec>(exec, 0, cols), InverseRoots<Exec>{scales});
  Kokkos::parallel_for("kaon::linalg::unit_columns", Kokkos::TeamPolicy<Exec>(exec, rows, fixed_team_size<Exec>),
                       ScaleColumns<T, Exec>{Q, R, scales, cols});
}

#define KAON_KERNEL(T, Exec)                                                                                      \
  template void unit_columns<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, Out<Vector<double, Exec>> const&, \
                                      Out<Vector<double, Exec>> const&, In<ConstMatrix<T, Exec>> const&);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
