#ifndef KAON_NN_ACTIVATION_HPP
#define KAON_NN_ACTIVATION_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Squared rectifier (So et al., 2021): Y = max(X, 0)², entry by entry. Y may be X. A NaN stays one and −∞ becomes
/// one: both are numbers that left their range, and 0 would hide it.
template <class T, class Exec>
void relu_squared(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstMatrix<T, Exec>> const& X);

/// In place: dX holds the gradient of relu_squared's output and receives that of its input, dX ← dX · 2 max(X, 0).
template <class T, class Exec>
void relu_squared_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dX, In<ConstMatrix<T, Exec>> const& X);

}  // namespace kaon

#endif
