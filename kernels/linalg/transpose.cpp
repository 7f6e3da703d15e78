#include <kaon/linalg/transpose.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

#include <cstdint>

namespace kaon {

template <class T, class Exec>
void transpose(Exec const& exec, Out<Matrix<T, Exec>> const& B, In<ConstMatrix<T, Exec>> const& A) {
  auto const m = static_cast<std::int64_t>(A.extent(0));
  auto const n = static_cast<std::int64_t>(A.extent(1));
  require(static_cast<std::int64_t>(B.extent(0)) == n && static_cast<std::int64_t>(B.extent(1)) == m,
          "transpose: the output's shape is not the transposed one");
  require(A.size() == 0 || A.data() != B.data(), "transpose: the output is also the input");
  // Tiles that stay in the first-level cache on a host; one entry a thread with contiguous writes on a device.
  constexpr std::int64_t tile = runs_on_host<Exec> ? 32 : 1;
  std::int64_t const across = (m + tile - 1) / tile;
  std::int64_t const down = (n + tile - 1) / tile;
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>;
  Kokkos::parallel_for(
      "kaon::transpose", Policy(exec, 0, across * down), KOKKOS_LAMBDA(std::int64_t const task) {
        std::int64_t const i0 = task % across * tile;
        std::int64_t const j0 = task / across * tile;
        std::int64_t const i1 = m - i0 < tile ? m : i0 + tile;
        std::int64_t const j1 = n - j0 < tile ? n : j0 + tile;
        for (std::int64_t j = j0; j < j1; ++j)
          for (std::int64_t i = i0; i < i1; ++i) B(j, i) = A(i, j);
      });
}

#define KAON_KERNEL(T, Exec) \
  template void transpose<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
