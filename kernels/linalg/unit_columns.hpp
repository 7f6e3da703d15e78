#ifndef KAON_LINALG_UNIT_COLUMNS_HPP
#define KAON_LINALG_UNIT_COLUMNS_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Q(:, j) ← R(:, j)/‖R(:, j)‖ for every column; one of which R's squares add up to 0 stays as it was in Q, and one whose squares
/// leave the range of double is not finite. Norms are summed in double, in a fixed order. Both rows×cols; Q may be R. `scales`
/// has cols entries and is workspace, as is `partials`, of column_workspace(rows, cols) at least. Asynchronous on `exec`; no
/// allocation, no fence.
template <class T, class Exec>
void unit_columns(Exec const& exec, Out<Matrix<T, Exec>> const& Q, Out<Vector<double, Exec>> const& scales,
                  Out<Vector<double, Exec>> const& partials, In<ConstMatrix<T, Exec>> const& R);

}  // namespace kaon

#endif
