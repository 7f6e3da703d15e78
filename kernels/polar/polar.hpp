#ifndef KAON_POLAR_POLAR_HPP
#define KAON_POLAR_POLAR_HPP

#include <kaon/core/types.hpp>
#include <kaon/polar/coefficients.hpp>
#include <kaon/polar/plan.hpp>
#include <kaon/polar/products.hpp>
#include <kaon/polar/settings.hpp>

#include <vector>

namespace kaon {

/// Polar factor Z ≈ U·Vᵀ of G = U·Σ·Vᵀ, rows×cols of any aspect; of a batch of such matrices at once. Owns its workspace.
///
/// Polynomial: X = G/‖G‖_F (scaling spectral: divided by an upper bound of ‖G‖₂ instead, see spectral_scale), then
/// X ← (aI + bA + cA²)X with A = XXᵀ for each triple of method.md §6, in the form that PolarPlan chooses. A singular value σ of G
/// becomes polar_map(table(), σ/‖G‖_F); singular vectors stay. Scale-invariant.
/// Rounding, measured in float against the same polynomial in fp64 (largest singular value of the difference, 256×512, geometric
/// spectra, κ from 10 to 1e4; kaon-bench --accuracy prints the table): standard and symmetric 5e-6…1e-4; gram with 5 steps
/// 4e-5…1e-2, where the polynomial itself is off by 0.14. In double below 1e-10.
/// Exact: U·Vᵀ over the singular values above ε·max(rows, cols)·σ₁.
/// Both: polar(0) = 0 (double: ‖G‖_F outside 1e-150…1e150 is not supported); a NaN or an infinity in G gives NaNs in that matrix
/// (exact: throws NumericalError).
template <class T, class Exec>
class Polar {
 public:
  /// Throws UsageError on unknown settings, std::invalid_argument unless rows, cols and batch are positive.
  Polar(PolarSettings const& settings, int rows, int cols, int batch = 1);

  /// Z_b ← polar factor of G_b for the `batch` matrices stacked by rows: Z and G are (batch·rows)×cols, contiguous, distinct.
  /// One set of launches on a device; each matrix gets the bits that it gets alone on a host. The polynomial path is asynchronous
  /// on `exec`, without allocation, fence or host round trip; the exact path waits for `exec` and works on the host.
  void operator()(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G);

  std::vector<Triple> const& table() const { return plan_.table; }
  PolarPlan const& plan() const { return plan_; }
  int rows() const { return rows_; }
  int cols() const { return cols_; }
  int batch() const { return batch_; }

 private:
  int rows_, cols_, batch_;
  bool exact_, spectral_;
  PolarPlan plan_;
  PolarProducts<T, Exec> products_;
  Matrix<T, Exec> X_, next_X_, R_, next_R_, P_, Q_, work_;
  Vector<double, Exec> factor_, norms_, log_, partials_;
};

}  // namespace kaon

#endif
