#ifndef KAON_NN_ROTARY_HPP
#define KAON_NN_ROTARY_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Cosines and sines of the rotary position embedding (Su et al., 2021, eq. 15), base 10000: table(t, i) = cos(t·θ_i) and
/// table(t, w/2 + i) = sin(t·θ_i) with θ_i = 10000^(−2i/w) for i < w/2. `table` is context×w with w the (even) head width.
/// Computed in double, rounded once. For start-up.
template <class T, class Exec>
void fill_rotary_table(Exec const& exec, Out<Matrix<T, Exec>> const& table);

/// In place on queries or keys X, (batch·context)×(heads·w), token rows ordered (sequence, position): every head's w entries are
/// brought to root mean square 1 (as rms_norm, NaNs included; QK norm, Henry et al., 2020), then the pairs (i, i + w/2) are
/// rotated by the angle of their position: (a, b) → (a cos + b sin, b cos − a sin). scale, (batch·context·heads), gets the
/// factors of the norm.
template <class T, class Exec>
void norm_and_rotate(Exec const& exec, Out<Matrix<T, Exec>> const& X, Out<Vector<T, Exec>> const& scale,
                     In<ConstMatrix<T, Exec>> const& table, int heads);

/// Gradient of norm_and_rotate from its output Y: in place, dX holds the gradient of the output and receives that of the input.
template <class T, class Exec>
void norm_and_rotate_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dX, In<ConstMatrix<T, Exec>> const& Y,
                              In<ConstVector<T, Exec>> const& scale, In<ConstMatrix<T, Exec>> const& table, int heads);

}  // namespace kaon

#endif
