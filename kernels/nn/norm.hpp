#ifndef KAON_NN_NORM_HPP
#define KAON_NN_NORM_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Added to the mean square of a row before its root is taken, so that a zero row stays zero.
inline constexpr double rms_epsilon = 1e-6;

/// Root-mean-square norm without parameters (Zhang and Sennrich, 2019, eq. 4): for every row i of the N×d matrices
/// scale(i) = (mean_j X(i,j)² + rms_epsilon)^(-1/2) and Y(i,:) = scale(i) X(i,:). Y may be X. scale has N entries.
/// A row whose sum of squares leaves the range of T becomes NaNs: scaled to zero it would hide what went wrong.
template <class T, class Exec>
void rms_norm(Exec const& exec, Out<Matrix<T, Exec>> const& Y, Out<Vector<T, Exec>> const& scale,
              In<ConstMatrix<T, Exec>> const& X);

/// Gradient of rms_norm from its output: D = scale(i) (dY(i,:) − Y(i,:) mean_j(dY(i,j) Y(i,j))), exact with the epsilon too.
/// dX ← D, or dX ← dX + D when `accumulate` (the residual stream). dX may be dY when not accumulating.
template <class T, class Exec>
void rms_norm_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dX, In<ConstMatrix<T, Exec>> const& dY,
                       In<ConstMatrix<T, Exec>> const& Y, In<ConstVector<T, Exec>> const& scale, bool accumulate);

}  // namespace kaon

#endif
