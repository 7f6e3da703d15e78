#ifndef KAON_LINALG_UPDATE_HPP
#define KAON_LINALG_UPDATE_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// X ← (1 − t·decay)·X + t·Z with t = radius · scale(): the step of the server. `decay` = 0 is the plain step, 1 the
/// constrained form X ← (1 − t)X + tZ (Scion), λ between them decoupled weight decay (Muon). X and Z are m×n, X is modified.
/// With decay = 0 each entry is x + t·z, rounded as written. Where `motion` has its entries, those that hold are set to `mark`
/// (none is cleared): what came of the step, for whoever reads it later.
template <class T, class Exec>
void move_along(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstMatrix<T, Exec>> const& Z, double radius,
                In<ConstScalar<double, Exec>> const& scale, double decay,
                Out<Vector<double, Exec>> const& motion = Vector<double, Exec>(), double mark = 1);

/// Entries of move_along's `motion`.
enum class Motion {
  directed,  ///< Z is not zero
  moved,     ///< an entry of X is another number than before
  turned,    ///< t·decay > 1: X changed its sign before the step
  count
};

/// C ← (1 − weight)·A + weight·B entry by entry (Nesterov's look-ahead of the momentum A along the gradient B). C may be A or B.
template <class T, class Exec>
void blend(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A, In<ConstMatrix<T, Exec>> const& B,
           T weight);

}  // namespace kaon

#endif
