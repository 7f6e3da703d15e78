#include <kaon/linalg/clip.hpp>

#include <kaon/core/instantiate.hpp>

namespace kaon {

template <class Exec>
void clip_factor(Exec const& exec, Out<Scalar<double, Exec>> const& factor, In<ConstVector<double, Exec>> const& squares,
                 double clip) {
  auto const layers = static_cast<std::int64_t>(squares.extent(0));
  Kokkos::parallel_for(
      "kaon::clip_factor", Kokkos::RangePolicy<Exec>(exec, 0, 1), KOKKOS_LAMBDA(int) {
        double sum = 0;
        for (std::int64_t i = 0; i < layers; ++i) sum += squares(i);
        double const part = clip / (math::sqrt(sum) + clip_epsilon);
        factor() = part >= 1 ? 1.0 : part;
      });
}

#define KAON_KERNEL(Exec) \
  template void clip_factor<Exec>(Exec const&, Out<Scalar<double, Exec>> const&, In<ConstVector<double, Exec>> const&, double);
KAON_FOR_EACH_SPACE(KAON_KERNEL)

}  // namespace kaon
