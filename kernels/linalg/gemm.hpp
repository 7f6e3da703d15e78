#ifndef KAON_LINALG_GEMM_HPP
#define KAON_LINALG_GEMM_HPP

#include <kaon/core/types.hpp>

namespace kaon {

enum class Op { none, transpose };

/// C ← alpha · op(A) op(B) + beta · C, all row-major. C must not alias A or B. With beta = 0, C may hold anything.
/// Throws std::invalid_argument when shapes do not fit or C is an input. Runs on Kokkos Kernels on a host, on cuBLAS or rocBLAS
/// themselves, without atomic additions, on a GPU (few entries: dot_product_gemm.hpp): the same call gives the same bits every
/// time.
template <class T, class Exec>
void gemm(Exec const& exec, Out<Matrix<T, Exec>> const& C, Op op_a, In<ConstMatrix<T, Exec>> const& A, Op op_b,
          In<ConstMatrix<T, Exec>> const& B, T alpha = 1, T beta = 0);

/// C ← alpha · A Aᵀ + beta · C with both triangles of the symmetric m×m C written; A is m×k.
template <class T, class Exec>
void symmetric_product(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A, T alpha = 1,
                       T beta = 0);

/// C ← alpha · Aᵀ A + beta · C; A is k×m, C is m×m and both its triangles are written.
template <class T, class Exec>
void gram(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A, T alpha = 1, T beta = 0);

}  // namespace kaon

#endif
