#ifndef KAON_LINALG_TPL_HALF_GEMM_HPP
#define KAON_LINALG_TPL_HALF_GEMM_HPP

#include <kaon/core/types.hpp>
#include <kaon/linalg/gemm.hpp>

namespace kaon {

/// 16-bit floating-point formats, kept as bit patterns: Kokkos' own half type is 4 bytes on a host.
enum class HalfKind {
  bf16,  ///< 8 bits of mantissa with the hidden one, the range of float
  fp16   ///< 11 bits, up to 65504; beyond: infinity
};

template <class Exec>
using HalfMatrix = Matrix<std::uint16_t, Exec>;
template <class Exec>
using ConstHalfMatrix = ConstMatrix<std::uint16_t, Exec>;

/// H ← A rounded to nearest, ties to even (IEEE 754; NaN stays NaN). One shape, contiguous.
template <class Exec>
void round_to_half(Exec const& exec, HalfKind kind, Out<HalfMatrix<Exec>> const& H, In<ConstMatrix<float, Exec>> const& A);

/// A ← H, exactly.
template <class Exec>
void widen_half(Exec const& exec, HalfKind kind, Out<Matrix<float, Exec>> const& A, In<ConstHalfMatrix<Exec>> const& H);

/// C_b ← alpha·op(A_b)·op(B_b) + beta·C_b on stacks of `batch` matrices (by rows, contiguous): 16-bit inputs, products and sums
/// in fp32, fp32 output. With beta = 0, C may hold anything. cublasGemmStridedBatchedEx on CUDA; elsewhere the portable twin, an
/// **emulation for tests**, far slower than a float gemm. Error of an entry: (k + 2)·2⁻²⁴·Σ|a·b|, after
/// what rounding the inputs cost (2⁻⁸ relative for bf16, 2⁻¹¹ for fp16). std::invalid_argument where shapes do not fit.
template <class Exec>
void half_gemm(Exec const& exec, HalfKind kind, Out<Matrix<float, Exec>> const& C, Op op_a, In<ConstHalfMatrix<Exec>> const& A,
               Op op_b, In<ConstHalfMatrix<Exec>> const& B, float alpha = 1, float beta = 0, int batch = 1);

/// half_gemm by the portable twin on every back end: what the vendors' calls are held against.
template <class Exec>
void portable_half_gemm(Exec const& exec, HalfKind kind, Out<Matrix<float, Exec>> const& C, Op op_a,
                        In<ConstHalfMatrix<Exec>> const& A, Op op_b, In<ConstHalfMatrix<Exec>> const& B, float alpha = 1,
                        float beta = 0, int batch = 1);

}  // namespace kaon

#endif
