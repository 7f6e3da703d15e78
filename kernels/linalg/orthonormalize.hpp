#ifndef KAON_LINALG_ORTHONORMALIZE_HPP
#define KAON_LINALG_ORTHONORMALIZE_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Orthonormal basis of the columns of a tall rows×cols matrix (cols ≤ rows), in place; owns its workspace.
///
/// CholeskyQR2 (Yamamoto et al., ETNA 44, 2015; Fukaya et al., arXiv 1809.11085): twice a Gram matrix, a cols×cols Cholesky
/// factorisation in double by one team, and a product with the triangular inverse, 8·rows·cols² flop. Weak pivots are raised
/// and left to the next pass, columns without a residual dropped. One pass resolves what is left of a column, after the columns
/// before it, down to 8√ε of its norm. A column that was weak and is still alive after the second pass asks, by a flag on the
/// device, for two passes more; without it their kernels return at once. 4 passes resolve every direction that the precision
/// holds; with `passes` = 2 a weak column is
/// resolved once only, or dropped where that is not enough. Column j of the result lies in the span of columns
/// 0…j of the input.
///
/// Result: columns that are orthonormal to a few ε·cols, or **exactly zero** where the input column is zero or depends on
/// the columns before it (residual below about 8ε·(8+√cols) of its norm, or still unresolved in the last pass).
/// Finite for every finite input, scale-invariant for each column, deterministic. Column norms below 1e-150 count as zero; the
/// input must be finite.
template <class T, class Exec>
class Orthonormalizer {
 public:
  /// Workspace for a rows×cols matrix. Throws std::invalid_argument unless 0 < cols ≤ rows and passes is 2 or 4.
  Orthonormalizer(int rows, int cols, int passes = 4);

  /// Q ← orthonormal basis of Q's columns. Asynchronous on `exec`: no allocation, no fence, no host round trip.
  void operator()(Exec const& exec, Out<Matrix<T, Exec>> const& Q_inout);

  int rows() const { return rows_; }
  int cols() const { return cols_; }

 private:
  int rows_, cols_, passes_;
  Matrix<T, Exec> other_, gram_, right_;
  Matrix<double, Exec> factor_, inverse_;
  Vector<double, Exec> squares_, residual_, scale_, partials_;
  Vector<int, Exec> good_;
  Scalar<int, Exec> more_, asked_;
};

}  // namespace kaon

#endif
