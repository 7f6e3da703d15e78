#ifndef KAON_LMO_LMO_HPP
#define KAON_LMO_LMO_HPP

#include <kaon/core/types.hpp>
#include <kaon/polar/polar.hpp>

#include <memory>
#include <string>
#include <vector>

namespace kaon {

/// The norm of a layer. Its ball is {Z : ‖Z‖ ≤ s} with s = factor · lmo_scale(norm, scale, rows, cols).
struct LmoSettings {
  std::string norm = "spectral";  ///< a name of lmo_norms()
  std::string scale = "none";     ///< a name of lmo_scales()
  double factor = 1;              ///< > 0
  PolarSettings polar;            ///< how the spectral norm finds its polar factor; the other norms ignore it
  int row_blocks = 1;             ///< a fused matrix: this many equal blocks of rows, each a matrix with this norm of its own
};

/// Linear minimisation oracle of one layer and the dual norm that belongs to it (method.md §5). Owns its workspace.
/// With row_blocks > 1 the norm of the whole is the largest of the blocks' norms, and the dual norm is the sum of theirs.
template <class T, class Exec>
class Lmo {
 public:
  Lmo(int rows, int cols, double scale) : rows_(rows), cols_(cols), scale_(scale) {}
  virtual ~Lmo() = default;
  Lmo(Lmo const&) = delete;
  Lmo& operator=(Lmo const&) = delete;

  /// Z ← argmin over ‖Z‖ ≤ s of ⟨G, Z⟩; ‖Z‖ = s unless G = 0, where Z = 0. A NaN in G gives NaNs in Z. Z and G are rows×cols,
  /// contiguous and distinct. Asynchronous on `exec`; no allocation, fence or host round trip (except an exact polar factor).
  virtual void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) = 0;

  /// result() = s·‖G‖_* = −⟨G, Z⟩; Z is what apply gave for this G. Exact up to rounding, but spectral takes it from Z: there a
  /// polynomial's error is the factor's own (σ counts polar_map(σ/‖G‖_F) times). G and Z as in apply; asynchronous as apply.
  virtual void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                         In<ConstMatrix<T, Exec>> const& Z) = 0;

  /// The radius s of the ball (of one block of a fused matrix).
  double scale() const { return scale_; }
  int rows() const { return rows_; }
  int cols() const { return cols_; }

 protected:
  /// Throws std::invalid_argument unless Z and G are what apply and dual_norm take.
  void check(ConstMatrix<T, Exec> const& Z, ConstMatrix<T, Exec> const& G) const;

 private:
  int rows_, cols_;
  double scale_;
};

/// The oracle for a rows×cols layer. Throws UsageError on an unknown norm, scale or polar set (naming the known ones), a factor
/// that is not positive, or row blocks that do not divide the rows.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_lmo(LmoSettings const& settings, int rows, int cols);

/// "spectral" (2→2), "max-abs" (1→∞), "frobenius", "column" (1→2: largest column), "row" (2→∞: largest row).
std::vector<std::string> lmo_norms();

/// "none", "muon", "rms", "moonlight", "input": see lmo_scale.
std::vector<std::string> lmo_scales();

/// Radius of the ball for an m×n matrix (m = d_out, n = d_in), without the factor:
///   none       1
///   muon       √max(1, m/n)
///   moonlight  0.2·√max(m, n)
///   input      1/n (embeddings and heads with max-abs: sign(G)/d_in)
///   rms        root-mean-square outputs of root-mean-square inputs: spectral and frobenius √(m/n); column √m (one-hot inputs);
///              row 1/√n (largest output). Not for max-abs.
/// Throws UsageError on unknown names and on rms with max-abs.
double lmo_scale(std::string const& norm, std::string const& scale, int rows, int cols);

/// Floating-point operations of apply, to balance owners by; same errors as make_lmo.
double lmo_cost(LmoSettings const& settings, int rows, int cols);

}  // namespace kaon

#endif
