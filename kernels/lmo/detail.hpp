#ifndef KAON_LMO_DETAIL_HPP
#define KAON_LMO_DETAIL_HPP

#include <kaon/linalg/norms.hpp>

namespace kaon::lmo_detail {

/// result() = −⟨G, Z⟩, summed in double: the dual norm of oracles that know it only through Z.
template <class T, class Exec>
void minus_dot(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
               In<ConstMatrix<T, Exec>> const& G, In<ConstMatrix<T, Exec>> const& Z) {
  dot<T>(exec, result, partials, G, Z);
  Kokkos::parallel_for(
      "kaon::lmo_minus_dot", Kokkos::RangePolicy<Exec>(exec, 0, 1), KOKKOS_LAMBDA(int const) { result() = 0.0 - result(); });
}

}  // namespace kaon::lmo_detail

#endif
