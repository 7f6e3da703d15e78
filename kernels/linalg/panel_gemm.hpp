#ifndef KAON_LINALG_PANEL_GEMM_HPP
#define KAON_LINALG_PANEL_GEMM_HPP

#include <kaon/linalg/gemm.hpp>

namespace kaon {

/// Panels that panel_gemm cuts an m×n product with inner length k into, along the longer of m and n; a function of the shape
/// alone. Long enough that packing the other operand once for each panel costs a few per cent; two where the product is worth it.
int gemm_panels(std::int64_t m, std::int64_t n, std::int64_t k);

/// gemm for a host whose BLAS runs on one thread: panels of C are computed side by side by the threads of `exec`, each by one
/// BLAS call, so the bits do not depend on the number of threads. Elsewhere, and where BLAS has threads of its own, it is gemm.
/// Arguments and checks are gemm's.
template <class T, class Exec>
void panel_gemm(Exec const& exec, Out<Matrix<T, Exec>> const& C, Op op_a, In<ConstMatrix<T, Exec>> const& A, Op op_b,
                In<ConstMatrix<T, Exec>> const& B, T alpha = 1, T beta = 0);

}  // namespace kaon

#endif
