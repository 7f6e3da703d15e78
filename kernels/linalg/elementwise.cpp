#include <kaon/linalg/elementwise.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

#include <cstdint>
#include <string>

namespace kaon {
namespace {

template <class Exec>
using Entries = Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>;

template <class Exec, class V>
Entries<Exec> entries_of(Exec const& exec, V const& Y, char const* name) {
  if (!Y.span_is_contiguous()) require(false, (std::string(name) + ": the output is not contiguous").c_str());
  return Entries<Exec>(exec, 0, static_cast<std::int64_t>(Y.size()));
}

template <class V, class W>
void require_like(V const& Y, W const& X, char const* name) {
  bool const same = Y.extent(0) == X.extent(0) && Y.extent(1) == X.extent(1);
  if (!same || !X.span_is_contiguous())
    require(false, (std::string(name) + ": an input has another shape or is not contiguous").c_str());
}

}  // namespace

template <class T, class Exec>
void fill(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T value) {
  T* y = Y.data();
  Kokkos::parallel_for(
      "kaon::fill", entries_of(exec, Y, "fill"), KOKKOS_LAMBDA(std::int64_t const i) { y[i] = value; });
}

template <class T, class Exec>
void copy(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstMatrix<T, Exec>> const& X) {
  require_like(Y, X, "copy");
  T* y = Y.data();
  T const* x = X.data();
  Kokkos::parallel_for(
      "kaon::copy", entries_of(exec, Y, "copy"), KOKKOS_LAMBDA(std::int64_t const i) { y[i] = x[i]; });
}

template <class T, class Exec>
void scale(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T a) {
  T* y = Y.data();
  Kokkos::parallel_for(
      "kaon::scale", entries_of(exec, Y, "scale"), KOKKOS_LAMBDA(std::int64_t const i) { y[i] *= a; });
}

template <class T, class Exec>
void axpy(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T a, In<ConstMatrix<T, Exec>> const& X) {
  require_like(Y, X, "axpy");
  T* y = Y.data();
  T const* x = X.data();
  Kokkos::parallel_for(
      "kaon::axpy", entries_of(exec, Y, "axpy"), KOKKOS_LAMBDA(std::int64_t const i) { y[i] += a * x[i]; });
}

template <class T, class Exec>
void axpy_scaled(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T a, In<ConstScalar<double, Exec>> const& s,
                 In<ConstMatrix<T, Exec>> const& X) {
  require_like(Y, X, "axpy_scaled");
  T* y = Y.data();
  T const* x = X.data();
  Kokkos::parallel_for(
      "kaon::axpy_scaled", entries_of(exec, Y, "axpy_scaled"),
      KOKKOS_LAMBDA(std::int64_t const i) { y[i] += static_cast<T>(static_cast<double>(a) * s()) * x[i]; });
}

template <class T, class Exec>
void copy_scaled(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T a, In<ConstScalar<double, Exec>> const& s,
                 In<ConstMatrix<T, Exec>> const& X) {
  require_like(Y, X, "copy_scaled");
  T* y = Y.data();
  T const* x = X.data();
  Kokkos::parallel_for(
      "kaon::copy_scaled", entries_of(exec, Y, "copy_scaled"),
      KOKKOS_LAMBDA(std::int64_t const i) { y[i] = static_cast<T>(static_cast<double>(a) * s()) * x[i]; });
}

template <class T, class Exec>
void lerp(Exec const& exec, Out<Matrix<T, Exec>> const& M, T beta, In<ConstMatrix<T, Exec>> const& G) {
  require_like(M, G, "lerp");
  T* m = M.data();
  T const* g = G.data();
  T const keep = T(1) - beta;
  Kokkos::parallel_for(
      "kaon::lerp", entries_of(exec, M, "lerp"), KOKKOS_LAMBDA(std::int64_t const i) { m[i] = keep * m[i] + beta * g[i]; });
}

template <class T, class Exec>
void difference(Exec const& exec, Out<Matrix<T, Exec>> const& D, In<ConstMatrix<T, Exec>> const& A,
                In<ConstMatrix<T, Exec>> const& B) {
  require_like(D, A, "difference");
  require_like(D, B, "difference");
  T* d = D.data();
  T const* a = A.data();
  T const* b = B.data();
  Kokkos::parallel_for(
      "kaon::difference", entries_of(exec, D, "difference"), KOKKOS_LAMBDA(std::int64_t const i) { d[i] = a[i] - b[i]; });
}

#define KAON_KERNEL(T, Exec)                                                                                            \
  template void fill<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, T);                                             \
  template void copy<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&);               \
  template void scale<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, T);                                            \
  template void axpy<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, T, In<ConstMatrix<T, Exec>> const&);            \
  template void axpy_scaled<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, T, In<ConstScalar<double, Exec>> const&, \
                                     In<ConstMatrix<T, Exec>> const&);                                                  \
  template void copy_scaled<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, T, In<ConstScalar<double, Exec>> const&, \
                                     In<ConstMatrix<T, Exec>> const&);                                                  \
  template void lerp<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, T, In<ConstMatrix<T, Exec>> const&);            \
  template void difference<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&,          \
                                    In<ConstMatrix<T, Exec>> const&);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
