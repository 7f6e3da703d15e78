#include <kaon/linalg/tpl/strided_gemm.hpp>

#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/tpl/blas.hpp>
#include <kaon/linalg/tpl/portable.hpp>

#include <KokkosKernels_config.h>

#ifdef KOKKOS_ENABLE_CUDA
#include <kaon/linalg/tpl/cublas.hpp>
#endif
#if defined(KOKKOS_ENABLE_HIP) && defined(KOKKOSKERNELS_ENABLE_TPL_ROCBLAS)
#include <kaon/linalg/tpl/rocblas.hpp>
#define KAON_WITH_ROCBLAS
#endif

namespace kaon::tpl {

template <class T, class Exec>
void portable_gemm(Exec const& exec, int m, int n, int k, T alpha, Op op_a, Strided<std::type_identity_t<T> const> const& A,
                   Op op_b, Strided<std::type_identity_t<T> const> const& B, T beta, Strided<std::type_identity_t<T>> const& C,
                   int batch) {
  run_portable<T, Same>(exec, m, n, k, alpha, op_a, A, op_b, B, beta, C, batch);
}

template <class T, class Exec>
void strided_gemm(Exec const& exec, int m, int n, int k, T alpha, Op op_a, Strided<std::type_identity_t<T> const> const& A,
                  Op op_b, Strided<std::type_identity_t<T> const> const& B, T beta, Strided<std::type_identity_t<T>> const& C,
                  int batch) {
  if (m == 0 || n == 0 || batch == 0) return;
  if (k == 0) return portable_gemm<T>(exec, m, n, k, alpha, op_a, A, op_b, B, beta, C, batch);  // leading dimensions may be 0
  if constexpr (runs_on_host<Exec>) {
    for (int b = 0; b < batch; ++b)
      blas_gemm(op_a, op_b, m, n, k, alpha, A.data + b * A.stride, A.ld, B.data + b * B.stride, B.ld, beta, C.data + b * C.stride,
                C.ld);
    return;
  }
#ifdef KOKKOS_ENABLE_CUDA
  if constexpr (std::is_same_v<Exec, Kokkos::Cuda>) return cublas_gemm(exec, m, n, k, alpha, op_a, A, op_b, B, beta, C, batch);
#endif
#ifdef KAON_WITH_ROCBLAS
  if constexpr (std::is_same_v<Exec, KAON_HIP_SPACE>) return rocblas_gemm(exec, m, n, k, alpha, op_a, A, op_b, B, beta, C, batch);
#endif
  portable_gemm<T>(exec, m, n, k, alpha, op_a, A, op_b, B, beta, C, batch);
}

template <class T, class Exec>
bool strided_syrk([[maybe_unused]] Exec const& exec, int n, int k, T alpha, Op op_a,
                  Strided<std::type_identity_t<T> const> const& A, T beta, Strided<std::type_identity_t<T>> const& C, int batch) {
  if (k == 0) return false;
  if constexpr (runs_on_host<Exec>) {
    for (int b = 0; b < batch; ++b) blas_syrk(op_a, n, k, alpha, A.data + b * A.stride, A.ld, beta, C.data + b * C.stride, C.ld);
    return true;
  }
  return false;
}

#define KAON_KERNEL(T, Exec)                                                                                                    \
  template void portable_gemm<T, Exec>(Exec const&, int, int, int, T, Op, Strided<T const> const&, Op, Strided<T const> const&, \
                                       T, Strided<T> const&, int);                                                              \
  template void strided_gemm<T, Exec>(Exec const&, int, int, int, T, Op, Strided<T const> const&, Op, Strided<T const> const&,  \
                                      T, Strided<T> const&, int);                                                               \
  template bool strided_syrk<T, Exec>(Exec const&, int, int, T, Op, Strided<T const> const&, T, Strided<T> const&, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon::tpl
