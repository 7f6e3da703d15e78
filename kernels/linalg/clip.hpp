#ifndef KAON_LINALG_CLIP_HPP
#define KAON_LINALG_CLIP_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// What keeps a division by the norm of a zero gradient away; part of the arithmetic (torch.nn.utils.clip_grad_norm_ has it).
inline constexpr double clip_epsilon = 1e-6;

/// factor() = min(1, clip/(‖g‖ + clip_epsilon)) with ‖g‖² = Σ_i squares(i), added in double from i = 0 on. A NaN stays one; an
/// infinity makes the factor 0. Asynchronous; one launch.
template <class Exec>
void clip_factor(Exec const& exec, Out<Scalar<double, Exec>> const& factor, In<ConstVector<double, Exec>> const& squares,
                 double clip);

}  // namespace kaon

#endif
