#ifndef KAON_LINALG_SVD_HOST_HPP
#define KAON_LINALG_SVD_HOST_HPP

#include <kaon/core/types.hpp>

#include <vector>

namespace kaon {

/// A = U·diag(s)·Vt with r = min(rows, cols): U is rows×r, Vt is r×cols, both row-major; s descends.
template <class T>
struct ThinSvd {
  int rows = 0, cols = 0, rank = 0;  ///< rank is r, not the numerical rank
  std::vector<T> u, s, vt;
};

/// Thin SVD of a row-major rows×cols matrix by LAPACK's gesdd (divide and conquer), backward stable to a few ε.
/// Throws std::invalid_argument when the length is not rows·cols, NumericalError on a NaN, an infinity or no convergence.
template <class T>
ThinSvd<T> svd_host(int rows, int cols, std::vector<T> a);

/// The same of a matrix on the device. **A host round trip**: waits for `exec`, copies A and allocates. For tests, exact
/// polar factors and small reports, never for a fast path.
template <class T, class Exec>
ThinSvd<T> svd_host(Exec const& exec, In<ConstMatrix<T, Exec>> const& A);

}  // namespace kaon

#endif
