// BLAS on the host through its Fortran symbols.
#ifndef KAON_LINALG_TPL_BLAS_HPP
#define KAON_LINALG_TPL_BLAS_HPP

#include <kaon/linalg/tpl/strided_gemm.hpp>

extern "C" {
void sgemm_(char const*, char const*, int const*, int const*, int const*, float const*, float const*, int const*, float const*,
            int const*, float const*, float*, int const*);
void dgemm_(char const*, char const*, int const*, int const*, int const*, double const*, double const*, int const*, double const*,
            int const*, double const*, double*, int const*);
void ssyrk_(char const*, char const*, int const*, int const*, float const*, float const*, int const*, float const*, float*,
            int const*);
void dsyrk_(char const*, char const*, int const*, int const*, double const*, double const*, int const*, double const*, double*,
            int const*);
}

namespace kaon::tpl {

// Row-major C = A·B is column-major Cᵀ = Bᵀ·Aᵀ: the operands change places and keep their transpositions.
inline void blas_gemm(Op op_a, Op op_b, int m, int n, int k, float alpha, float const* A, int lda, float const* B, int ldb,
                      float beta, float* C, int ldc) {
  sgemm_(op_b == Op::none ? "N" : "T", op_a == Op::none ? "N" : "T", &n, &m, &k, &alpha, B, &ldb, A, &lda, &beta, C, &ldc);
}
inline void blas_gemm(Op op_a, Op op_b, int m, int n, int k, double alpha, double const* A, int lda, double const* B, int ldb,
                      double beta, double* C, int ldc) {
  dgemm_(op_b == Op::none ? "N" : "T", op_a == Op::none ? "N" : "T", &n, &m, &k, &alpha, B, &ldb, A, &lda, &beta, C, &ldc);
}

// The row-major lower triangle is the column-major upper one.
inline void blas_syrk(Op op_a, int n, int k, float alpha, float const* A, int lda, float beta, float* C, int ldc) {
  ssyrk_("U", op_a == Op::none ? "T" : "N", &n, &k, &alpha, A, &lda, &beta, C, &ldc);
}
inline void blas_syrk(Op op_a, int n, int k, double alpha, double const* A, int lda, double beta, double* C, int ldc) {
  dsyrk_("U", op_a == Op::none ? "T" : "N", &n, &k, &alpha, A, &lda, &beta, C, &ldc);
}

}  // namespace kaon::tpl

#endif
