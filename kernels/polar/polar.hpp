#ifndef KAON_POLAR_POLAR_HPP
#define KAON_POLAR_POLAR_HPP

#include <kaon/core/types.hpp>
#include <kaon/polar/coefficients.hpp>

#include <string>
#include <vector>

namespace kaon {

struct PolarSettings {
  std::string set = "polar-express";  ///< a name of polar_sets()
  int steps = 5;                      ///< gemm triples; more are more accurate
  bool exact = false;                 ///< by an SVD on the host instead: a reference, slow
};

/// Polar factor Z ≈ U·Vᵀ of G = U·Σ·Vᵀ, rows×cols of any aspect; owns its workspace.
///
/// Polynomial: X = G/‖G‖_F, then X ← (aI + bA + cA²)X with A = XXᵀ (or XᵀX on the right for a tall G) for each triple of
/// method.md §6. A singular value σ of G becomes polar_map(table(), σ/‖G‖_F); singular vectors stay. Scale-invariant.
/// Exact: U·Vᵀ over the singular values above ε·max(rows, cols)·σ₁.
/// Both: polar(0) = 0 (double: ‖G‖_F outside 1e-150…1e150 is not supported); a NaN or an infinity in G gives NaNs (exact: throws
/// NumericalError).
template <class T, class Exec>
class Polar {
 public:
  /// Throws UsageError on unknown settings, std::invalid_argument unless rows and cols are positive.
  Polar(PolarSettings const& settings, int rows, int cols);

  /// Z ← polar factor of G; Z may not be G. The polynomial path is asynchronous on `exec`, without allocation, fence or host
  /// round trip; the exact path waits for `exec` and works on the host.
  void operator()(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G);

  std::vector<Triple> const& table() const { return table_; }
  int rows() const { return rows_; }
  int cols() const { return cols_; }

 private:
  int rows_, cols_;
  bool exact_;
  std::vector<Triple> table_;
  Matrix<T, Exec> ping_, pong_, square_, factor_;
  Scalar<double, Exec> norm_;
  Vector<double, Exec> partials_;
};

/// Floating-point operations of one call: three products a step (method.md §6), or about 20·r²·max for the exact path.
double polar_cost(PolarSettings const& settings, int rows, int cols);

}  // namespace kaon

#endif
