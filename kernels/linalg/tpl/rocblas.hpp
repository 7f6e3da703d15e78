// rocBLAS on the caller's stream. Empty unless Kokkos has HIP and Kokkos Kernels was built with rocBLAS (and links it).
#ifndef KAON_LINALG_TPL_ROCBLAS_HPP
#define KAON_LINALG_TPL_ROCBLAS_HPP

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/tpl/strided_gemm.hpp>

#include <KokkosKernels_config.h>

#if defined(KOKKOS_ENABLE_HIP) && defined(KOKKOSKERNELS_ENABLE_TPL_ROCBLAS)

#include <rocblas/rocblas.h>

#include <string>

namespace kaon::tpl {

inline void check_rocblas(rocblas_status status, char const* call) {
  if (status != rocblas_status_success)
    throw NumericalError(std::string(call) + " failed with rocBLAS status " + std::to_string(static_cast<int>(status)));
}

/// The process's handle, made on first use and destroyed by Kokkos::finalize, set to the stream of `exec`.
inline rocblas_handle rocblas_on(KAON_HIP_SPACE const& exec) {
  static rocblas_handle handle = nullptr;
  if (!handle) {
    check_rocblas(rocblas_create_handle(&handle), "rocblas_create_handle");
    check_rocblas(rocblas_set_atomics_mode(handle, rocblas_atomics_not_allowed), "rocblas_set_atomics_mode");
    Kokkos::push_finalize_hook([] {
      rocblas_destroy_handle(handle);
      handle = nullptr;
    });
  }
  check_rocblas(rocblas_set_stream(handle, exec.hip_stream()), "rocblas_set_stream");
  return handle;
}

inline rocblas_operation rocblas_op(Op op) { return op == Op::none ? rocblas_operation_none : rocblas_operation_transpose; }

// Row-major operands change places, as for BLAS.
inline void rocblas_gemm(KAON_HIP_SPACE const& exec, int m, int n, int k, float alpha, Op op_a, Strided<float const> const& A,
                         Op op_b, Strided<float const> const& B, float beta, Strided<float> const& C, int batch) {
  check_rocblas(rocblas_sgemm_strided_batched(rocblas_on(exec), rocblas_op(op_b), rocblas_op(op_a), n, m, k, &alpha, B.data, B.ld,
                                              B.stride, A.data, A.ld, A.stride, &beta, C.data, C.ld, C.stride, batch),
                "rocblas_sgemm_strided_batched");
}
inline void rocblas_gemm(KAON_HIP_SPACE const& exec, int m, int n, int k, double alpha, Op op_a, Strided<double const> const& A,
                         Op op_b, Strided<double const> const& B, double beta, Strided<double> const& C, int batch) {
  check_rocblas(rocblas_dgemm_strided_batched(rocblas_on(exec), rocblas_op(op_b), rocblas_op(op_a), n, m, k, &alpha, B.data, B.ld,
                                              B.stride, A.data, A.ld, A.stride, &beta, C.data, C.ld, C.stride, batch),
                "rocblas_dgemm_strided_batched");
}

}  // namespace kaon::tpl

#endif
#endif
