#ifndef KAON_POLAR_TRIANGULAR_HPP
#define KAON_POLAR_TRIANGULAR_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Order of the diagonal blocks that one team (factor) or one task per row (solve) works off; the rest is products.
inline constexpr int triangular_block = 48;

/// Upper triangle of A ← R with A + shift·I = RᵀR, for a symmetric positive definite n×n A (its upper triangle is read; the
/// strict lower one holds rubbish after the call). Blocked, right-looking; n³ flop or so by products. A pivot that is not above
/// 1e-300 is replaced by 1: give a shift where A may be indefinite by rounding. Asynchronous on `exec`.
template <class Exec>
void cholesky(Exec const& exec, Out<Matrix<double, Exec>> const& A, double shift);

/// X ← X·R⁻¹ with R the upper triangle of an n×n matrix, X m×n. Every row is a substitution of its own, backward stable.
template <class Exec>
void solve_right(Exec const& exec, Out<Matrix<double, Exec>> const& X, In<ConstMatrix<double, Exec>> const& R);

/// X ← X·R⁻ᵀ, likewise.
template <class Exec>
void solve_right_transposed(Exec const& exec, Out<Matrix<double, Exec>> const& X, In<ConstMatrix<double, Exec>> const& R);

}  // namespace kaon

#endif
