#ifndef KAON_LINALG_SYMMETRIC_HPP
#define KAON_LINALG_SYMMETRIC_HPP

#include <kaon/core/types.hpp>
#include <kaon/linalg/gemm.hpp>

namespace kaon {

// Products whose result is known to be symmetric, for about half the flops of gemm: the lower triangle is computed, then
// mirrored, so that C = Cᵀ to the last bit. AAᵀ runs on BLAS' syrk on the host (measured, float, n = 768, one thread: 0.50–0.58
// of the gemm); everything else on a recursion over the diagonal whose off-diagonal blocks are gemms (0.71).
//
// All take `batch` ≥ 1 matrices of one shape, stacked by rows: C is (batch·n)×n. One set of launches for all of them on a
// device, a loop on the host, where each matrix gets the bits that it gets alone. Contiguous; C shares no memory with an
// input. Asynchronous on the instance, no allocation, no fence. std::invalid_argument where shapes do not fit or C is an input.

/// C ← alpha·op(A)·op(A)ᵀ + beta·C: op none is A·Aᵀ with A n×k, op transpose AᵀA with A k×n. With beta ≠ 0 the lower triangle of
/// the symmetric C is read. n²k flops.
template <class T, class Exec>
void syrk(Exec const& exec, Out<Matrix<T, Exec>> const& C, Op op, In<ConstMatrix<T, Exec>> const& A, T alpha = 1, T beta = 0,
          int batch = 1);

/// C ← alpha·A·B + beta·C for symmetric n×n matrices that commute, as polynomials of one matrix do (the product of others is not
/// symmetric: the result is then the mirrored lower triangle of AB). A may be B. n³ flops.
template <class T, class Exec>
void commuting_product(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A,
                       In<ConstMatrix<T, Exec>> const& B, T alpha = 1, T beta = 0, int batch = 1);

/// C ← a·I + b·A + c·A² for a symmetric n×n matrix A: one syrk, whose mirroring adds the rest. n³ flops.
template <class T, class Exec>
void symmetric_quadratic(Exec const& exec, Out<Matrix<T, Exec>> const& C, T a, T b, T c, In<ConstMatrix<T, Exec>> const& A,
                         int batch = 1);

}  // namespace kaon

#endif
