#include <kaon/nn/activation.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {

template <class T, class Exec>
void relu_squared(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstMatrix<T, Exec>> const& X) {
  require(Y.extent(0) == X.extent(0) && Y.extent(1) == X.extent(1), "relu_squared: Y and X differ in shape");
  T* const y = Y.data();
  T const* const x = X.data();
  Kokkos::parallel_for(
      "kaon::nn::relu_squared",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(X.size())),
      KOKKOS_LAMBDA(std::int64_t const i) {
        T const v = x[i];
        y[i] = v > T(0) ? v * v : T(0) * math::fabs(v);  // 0 of what is finite
      });
}

template <class T, class Exec>
void relu_squared_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dX, In<ConstMatrix<T, Exec>> const& X) {
  require(dX.extent(0) == X.extent(0) && dX.extent(1) == X.extent(1), "relu_squared_backward: dX and X differ in shape");
  require(dX.size() == 0 || dX.data() != X.data(), "relu_squared_backward: dX is also an input");
  T* const dx = dX.data();
  T const* const x = X.data();
  Kokkos::parallel_for(
      "kaon::nn::relu_squared_backward",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(X.size())),
      KOKKOS_LAMBDA(std::int64_t const i) {
        T const v = x[i];
        dx[i] *= v > T(0) ? T(2) * v : T(0) * math::fabs(v);
      });
}

#define KAON_KERNEL(T, Exec)                                                                                      \
  template void relu_squared<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&); \
  template void relu_squared_backward<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
