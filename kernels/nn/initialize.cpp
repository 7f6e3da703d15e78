#include <kaon/nn/initialize.hpp>

#include <kaon/core/instantiate.hpp>

namespace kaon {

template <class T, class Exec>
void fill_normal(Exec const& exec, Out<Matrix<T, Exec>> const& X, StreamKey const& key, double const deviation) {
  auto const columns = static_cast<std::int64_t>(X.extent(1));
  Kokkos::parallel_for(
      "kaon::nn::fill_normal",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(X.size())),
      KOKKOS_LAMBDA(std::int64_t const e) {
        X(e / columns, e % columns) =
            deviation == 0 ? T(0) : static_cast<T>(deviation * random_normal(key, static_cast<std::uint64_t>(e)));
      });
}

#define KAON_KERNEL(T, Exec) \
  template void fill_normal<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, StreamKey const&, double);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
