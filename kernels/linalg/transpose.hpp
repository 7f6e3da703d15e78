#ifndef KAON_LINALG_TRANSPOSE_HPP
#define KAON_LINALG_TRANSPOSE_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// B ← Aᵀ; A is m×n, B is n×m and shares no memory with A. Asynchronous on `exec`; throws std::invalid_argument otherwise.
template <class T, class Exec>
void transpose(Exec const& exec, Out<Matrix<T, Exec>> const& B, In<ConstMatrix<T, Exec>> const& A);

}  // namespace kaon

#endif
