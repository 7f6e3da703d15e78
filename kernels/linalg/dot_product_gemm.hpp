#ifndef KAON_LINALG_DOT_PRODUCT_GEMM_HPP
#define KAON_LINALG_DOT_PRODUCT_GEMM_HPP

#include <kaon/linalg/gemm.hpp>

namespace kaon {

/// Entries of C up to which gemm leaves AᵀB on a GPU to dot_product_gemm. Kokkos Kernels (3.4 to 4.7) computes such products
/// there by its "dot-based" gemm below 100 entries (LayoutRight) or 1600 (LayoutLeft): several teams an entry, whose parts meet
/// in an atomic addition, so that the bits differ from run to run as soon as there are three. The larger of the two, to be safe.
inline constexpr std::int64_t dot_product_entries = 1600;

/// A GPU whose products go to cuBLAS itself, without atomic additions: it needs no help.
#ifdef KOKKOS_ENABLE_CUDA
template <class Exec>
inline constexpr bool sums_in_order = std::is_same_v<Exec, Kokkos::Cuda>;
#else
template <class Exec>
inline constexpr bool sums_in_order = false;
#endif

/// Whether gemm on Exec leaves C ← op(A) op(B), C m×n, to dot_product_gemm: GPUs without cuBLAS, transposed A, few entries.
template <class Exec>
bool is_dot_product_gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n) {
  return !runs_on_host<Exec> && !sums_in_order<Exec> && op_a == Op::transpose && op_b == Op::none && m * n <= dot_product_entries;
}

/// C ← alpha · AᵀB + beta · C for a C of few entries and a long inner length: a team an entry, which adds in double in an order
/// that the inner length and the back end alone decide. A is k×m, B k×n; checks as gemm's. Asynchronous; no allocation, no fence.
template <class T, class Exec>
void dot_product_gemm(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A,
                      In<ConstMatrix<T, Exec>> const& B, T alpha = 1, T beta = 0);

}  // namespace kaon

#endif
