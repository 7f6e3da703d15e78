// cuBLAS on the caller's stream. Empty unless Kokkos has CUDA.
#ifndef KAON_LINALG_TPL_CUBLAS_HPP
#define KAON_LINALG_TPL_CUBLAS_HPP

#include <kaon/core/error.hpp>
#include <kaon/linalg/tpl/strided_gemm.hpp>

#ifdef KOKKOS_ENABLE_CUDA

#include <cublas_v2.h>

#include <string>

namespace kaon::tpl {

inline void check_cublas(cublasStatus_t status, char const* call) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw NumericalError(std::string(call) + " failed with cuBLAS status " + std::to_string(static_cast<int>(status)));
}

/// Bytes of cuBLAS' workspace for a stream: what its own pool takes on Hopper.
inline constexpr std::size_t cublas_workspace = std::size_t{32} << 20;

/// The process's handle, made on first use and destroyed by Kokkos::finalize, set to the stream of `exec`. Products have the same
/// bits in every run: each stream has a workspace of its own (from the pool, cuBLAS may choose another algorithm when streams
/// meet), sums by atomics are forbidden, and a float is multiplied as a float (no TF32).
cublasHandle_t cublas_on(Kokkos::Cuda const& exec);

inline cublasOperation_t cublas_op(Op op) { return op == Op::none ? CUBLAS_OP_N : CUBLAS_OP_T; }

// Row-major operands change places, as for BLAS.
inline void cublas_gemm(Kokkos::Cuda const& exec, int m, int n, int k, float alpha, Op op_a, Strided<float const> const& A,
                        Op op_b, Strided<float const> const& B, float beta, Strided<float> const& C, int batch) {
  check_cublas(cublasSgemmStridedBatched(cublas_on(exec), cublas_op(op_b), cublas_op(op_a), n, m, k, &alpha, B.data, B.ld,
                                         B.stride, A.data, A.ld, A.stride, &beta, C.data, C.ld, C.stride, batch),
               "cublasSgemmStridedBatched");
}
inline void cublas_gemm(Kokkos::Cuda const& exec, int m, int n, int k, double alpha, Op op_a, Strided<double const> const& A,
                        Op op_b, Strided<double const> const& B, double beta, Strided<double> const& C, int batch) {
  check_cublas(cublasDgemmStridedBatched(cublas_on(exec), cublas_op(op_b), cublas_op(op_a), n, m, k, &alpha, B.data, B.ld,
                                         B.stride, A.data, A.ld, A.stride, &beta, C.data, C.ld, C.stride, batch),
               "cublasDgemmStridedBatched");
}

/// 16-bit inputs (`type` CUDA_R_16BF or CUDA_R_16F), 32-bit sums and output.
inline void cublas_half_gemm(Kokkos::Cuda const& exec, int m, int n, int k, float alpha, cudaDataType_t type, Op op_a,
                             Strided<std::uint16_t const> const& A, Op op_b, Strided<std::uint16_t const> const& B, float beta,
                             Strided<float> const& C, int batch) {
  check_cublas(cublasGemmStridedBatchedEx(cublas_on(exec), cublas_op(op_b), cublas_op(op_a), n, m, k, &alpha, B.data, type, B.ld,
                                          B.stride, A.data, type, A.ld, A.stride, &beta, C.data, CUDA_R_32F, C.ld, C.stride,
                                          batch, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
               "cublasGemmStridedBatchedEx");
}

}  // namespace kaon::tpl

#endif
#endif
