#ifndef KAON_LINALG_TPL_STRIDED_GEMM_HPP
#define KAON_LINALG_TPL_STRIDED_GEMM_HPP

#include <kaon/core/types.hpp>
#include <kaon/linalg/gemm.hpp>

namespace kaon::tpl {

/// Row-major matrices of one shape with `ld` ≥ columns entries from row to row and `stride` from matrix to matrix: what a View of
/// a block of a matrix cannot say without a layout that falls off the vendors' libraries.
template <class T>
struct Strided {
  T* data = nullptr;
  int ld = 0;
  std::int64_t stride = 0;
};

/// The same matrices from row i and column j on.
template <class T>
Strided<T> block(Strided<T> const& a, int i, int j) {
  return {a.data + static_cast<std::int64_t>(i) * a.ld + j, a.ld, a.stride};
}

/// C_b ← alpha·op(A_b)·op(B_b) + beta·C_b for b < batch; C is m×n, the inner length is k. C may be anything where beta = 0 and
/// shares no memory with A and B. One call of cuBLAS or rocBLAS; BLAS matrix by matrix on the host; elsewhere the portable twin.
/// Asynchronous on `exec`, unchecked.
template <class T, class Exec>
void strided_gemm(Exec const& exec, int m, int n, int k, T alpha, Op op_a, Strided<std::type_identity_t<T> const> const& A,
                  Op op_b, Strided<std::type_identity_t<T> const> const& B, T beta, Strided<std::type_identity_t<T>> const& C,
                  int batch);

/// The lower triangles of C_b ← alpha·op(A_b)·op(A_b)ᵀ + beta·C_b, n×n with inner length k, by BLAS' syrk on the host. Returns
/// false and does nothing where there is no such call for a batch. What happens above the diagonal is nobody's business.
template <class T, class Exec>
bool strided_syrk(Exec const& exec, int n, int k, T alpha, Op op_a, Strided<std::type_identity_t<T> const> const& A, T beta,
                  Strided<std::type_identity_t<T>> const& C, int batch);

/// strided_gemm in plain Kokkos, for any types that convert through `Read` (below): the twin that the vendors' calls are held
/// against, and the stand-in where there is none. Sums in the order of the inner index.
template <class T, class Exec>
void portable_gemm(Exec const& exec, int m, int n, int k, T alpha, Op op_a, Strided<std::type_identity_t<T> const> const& A,
                   Op op_b, Strided<std::type_identity_t<T> const> const& B, T beta, Strided<std::type_identity_t<T>> const& C,
                   int batch);

}  // namespace kaon::tpl

#endif
