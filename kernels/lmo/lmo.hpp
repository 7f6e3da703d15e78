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
  PolarSettings polar;  ///< how the spectral norm finds its polar factor (exact: by singular values); the others ignore it
  int row_blocks = 1;   ///< a fused matrix: this many equal blocks of rows, each a matrix with this norm of its own
  int col_blocks = 1;   ///< the same of columns (the heads of an output projection); with row_blocks a grid
  double p = 4;         ///< norm schatten: its p, 1.01 ≤ p ≤ 1000
  int k = 1;            ///< norms ky-fan and dual-ky-fan: their k ≥ 1, at most min(rows, cols) of a block

  bool operator==(LmoSettings const&) const = default;
};

/// Linear minimisation oracle of one layer and the dual norm that belongs to it (method.md §5). Owns its workspace.
/// With several blocks the norm of the whole is the largest of the blocks' norms, and the dual norm is the sum of theirs.
template <class T, class Exec>
class Lmo {
 public:
  Lmo(int rows, int cols, double scale) : rows_(rows), cols_(cols), scale_(scale) {}
  virtual ~Lmo() = default;
  Lmo(Lmo const&) = delete;
  Lmo& operator=(Lmo const&) = delete;

  /// Z ← argmin over ‖Z‖ ≤ s of ⟨G, Z⟩; ‖Z‖ = s unless G = 0, where Z = 0. A NaN in G gives NaNs in Z. Z and G are rows×cols,
  /// contiguous and distinct. Asynchronous on `exec`; no allocation, fence or host round trip, but for the norms of singular
  /// values (and an exact spectral one), which wait for `exec` (SingularFactors: float by an eigenproblem, double by LAPACK's
  /// SVD). Of equal entries the first counts; of equal singular values the decomposition's order.
  virtual void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) = 0;

  /// result() = s·‖G‖_* = −⟨G, Z⟩; Z is what apply gave for this G. Exact up to rounding, but the norms of singular values take
  /// it from Z: a polynomial's error is the factor's own (σ counts polar_map(σ/‖G‖_F) times). G and Z as in apply; asynchronous.
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

/// The oracle for a rows×cols layer. Throws UsageError on an unknown norm, scale or polar set (naming the known ones), a scale
/// that means nothing for the norm, a factor that is not positive, p or k out of range, or blocks that do not divide the shape.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_lmo(LmoSettings const& settings, int rows, int cols);

/// Norms, their duals and oracles (G = Σ s_i u_i v_iᵀ; method.md §5):
///   spectral     2→2: max s              dual Σ s                    −UVᵀ
///   nuclear      Σ s                     dual max s                  −u₁v₁ᵀ
///   schatten     ‖s‖_p                   dual ‖s‖_q, 1/p + 1/q = 1   −U diag(s^{q−1}) Vᵀ/‖s‖_q^{q−1}
///   ky-fan       Σ of the k largest s    dual max(s₁, Σs/k)          −u₁v₁ᵀ if s₁ ≥ Σs/k, else −UVᵀ/k
///   dual-ky-fan  max(s₁, Σs/k)           dual Σ of the k largest s   −U_k V_kᵀ
///   frobenius    ‖s‖₂                    dual itself                 −G/‖G‖_F
///   max-abs      1→∞: largest entry      dual Σ|g|                   −sign(G)
///   l1           Σ|g|                    dual largest entry          −sign at the largest entry
///   column       1→2: largest column     dual Σ column ‖·‖₂          −g_j/‖g_j‖ for each column
///   row          2→∞: largest row        dual Σ row ‖·‖₂             −g_i/‖g_i‖ for each row
///   one-to-one   1→1: max_j Σ_i |g|      dual Σ_j max_i |g|          −sign at the largest entry of each column
///   inf-to-inf   ∞→∞: max_i Σ_j |g|      dual Σ_i max_j |g|          −sign at the largest entry of each row
/// (‖·‖ of ky-fan is the sum of the k largest values; its dual is what is called the dual Ky Fan norm.)
std::vector<std::string> lmo_norms();

/// "none", "muon", "rms", "moonlight", "input": see lmo_scale.
std::vector<std::string> lmo_scales();

/// Radius of the ball for an m×n matrix (m = d_out, n = d_in), without the factor:
///   none       1
///   muon       √max(1, m/n)
///   moonlight  0.2·√max(m, n)
///   input      1/n (embeddings and heads with max-abs: sign(G)/d_in)
///   rms        root-mean-square outputs of root-mean-square inputs: norms of singular values and frobenius √(m/n) (no less than
///              spectral asks); column √m (one-hot inputs); row 1/√n (largest output)
/// max-abs takes all but rms; l1, one-to-one and inf-to-inf, whose oracles name single entries, take none and input.
/// Throws UsageError on unknown names and on a scale that means nothing for the norm.
double lmo_scale(std::string const& norm, std::string const& scale, int rows, int cols);

/// Floating-point operations of apply, to balance owners by; same errors as make_lmo.
double lmo_cost(LmoSettings const& settings, int rows, int cols);

}  // namespace kaon

#endif
