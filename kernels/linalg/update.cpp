#include <kaon/linalg/update.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {
namespace {

template <class A, class B>
bool same_shape(A const& a, B const& b) {
  return a.extent(0) == b.extent(0) && a.extent(1) == b.extent(1);
}

}  // namespace

template <class T, class Exec>
void move_along(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstMatrix<T, Exec>> const& Z, double radius,
                In<ConstScalar<double, Exec>> const& scale, double decay) {
  require(same_shape(X, Z), "move_along: shapes differ");
  auto const n = static_cast<std::int64_t>(X.size());
  T* const x = X.data();
  T const* const z = Z.data();
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>;
  if (decay == 0) {
    Kokkos::parallel_for(
        "kaon::linalg::move_along", Policy(exec, 0, n), KOKKOS_LAMBDA(std::int64_t const i) {
          T const t = static_cast<T>(radius * scale());
          x[i] = x[i] + t * z[i];
        });
  } else {
    Kokkos::parallel_for(
        "kaon::linalg::move_along_with_decay", Policy(exec, 0, n), KOKKOS_LAMBDA(std::int64_t const i) {
          T const t = static_cast<T>(radius * scale());
          T const keep = static_cast<T>(1.0 - radius * scale() * decay);
          x[i] = keep * x[i] + t * z[i];
        });
  }
}

template <class T, class Exec>
void blend(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A, In<ConstMatrix<T, Exec>> const& B,
           T weight) {
  require(same_shape(C, A) && same_shape(C, B), "blend: shapes differ");
  T* const c = C.data();
  T const* const a = A.data();
  T const* const b = B.data();
  T const keep = T(1) - weight;
  Kokkos::parallel_for(
      "kaon::linalg::blend",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(C.size())),
      KOKKOS_LAMBDA(std::int64_t const i) { c[i] = keep * a[i] + weight * b[i]; });
}

#define KAON_KERNEL(T, Exec)                                                                                           \
  template void move_along<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, double, \
                                    In<ConstScalar<double, Exec>> const&, double);                                     \
  template void blend<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&,              \
                               In<ConstMatrix<T, Exec>> const&, T);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
