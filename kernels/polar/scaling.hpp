#ifndef KAON_POLAR_SCALING_HPP
#define KAON_POLAR_SCALING_HPP

#include <kaon/core/types.hpp>

#include <cstdint>

namespace kaon {

// What brings the singular values of a batch of matrices, stacked by rows, into [0, 1]. Factors stay on the device, in double.
// One launch does the whole batch; sums follow an order that the shape of one matrix and the back end fix.

/// Doubles of workspace for inverse_norms of `batch` rows×cols matrices.
std::int64_t inverse_norms_workspace(std::int64_t rows, std::int64_t cols, int batch);

/// factor(b) = 1/‖G_b‖_F, 0 for a zero matrix, NaN where the sum of squares leaves the range of double.
template <class T, class Exec>
void inverse_norms(Exec const& exec, Out<Vector<double, Exec>> const& factor, Out<Vector<double, Exec>> const& partials,
                   In<ConstMatrix<T, Exec>> const& G, int batch);

/// X_b ← factor(b)·G_b, or its transpose if X's columns are G's rows per matrix and `transposed`. One rounding an entry, from
/// double.
template <class T, class Exec>
void scaled_copy(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstVector<double, Exec>> const& factor,
                 In<ConstMatrix<T, Exec>> const& G, bool transposed, int batch);

/// X_b ← factor(b)^power·X_b, power 1 or 2.
template <class T, class Exec>
void rescale(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstVector<double, Exec>> const& factor, int power, int batch);

/// Squarings of R that spectral_scale makes.
inline constexpr int spectral_squarings = 4;

/// factor(b) = 1/u_b with u_b ≥ ‖X_b‖₂, from R_b = X_bᵀX_b (s×s, l rows in X), X normalised to ‖X‖_F ≤ 1.
///
/// u is a Schatten norm, which bounds the largest singular value from above: (Σ σ^64)^{1/64} = ‖R^16‖_F^{1/32}, by four symmetric
/// squarings, each renormalised so that nothing underflows. Rounding cannot take it below ‖X‖₂: each product's error is at most
/// γ·‖·‖_F with γ = (l or s)·ε, the roots shrink those of the squarings, and u carries the factor 1 + (l + 2s)·ε for their sum.
/// u ≤ s^{1/64}·‖X‖₂ (1.11 for s = 768, reached only by equal singular values; 1.01 for a geometric spectrum with κ = 1e3).
/// Deterministic. Cost 4·s³ flops. `work` and `next` are s×s stacks, `norms` and `log` hold `batch` doubles.
template <class T, class Exec>
void spectral_scale(Exec const& exec, Out<Vector<double, Exec>> const& factor, Out<Vector<double, Exec>> const& norms,
                    Out<Vector<double, Exec>> const& log, Out<Vector<double, Exec>> const& partials,
                    Out<Matrix<T, Exec>> const& work, Out<Matrix<T, Exec>> const& next, In<ConstMatrix<T, Exec>> const& R,
                    int rows, int batch);

}  // namespace kaon

#endif
