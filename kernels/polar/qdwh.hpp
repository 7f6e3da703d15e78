#ifndef KAON_POLAR_QDWH_HPP
#define KAON_POLAR_QDWH_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Polar factor Z = U·Vᵀ of G = U·Σ·Vᵀ in fp64 by dynamically weighted Halley iteration (Nakatsukasa, Bai and Gygi, "Optimizing
/// Halley's iteration for computing the matrix polar decomposition", SIAM J. Matrix Anal. Appl. 31, 2010, eqs. (3.4)–(3.10),
/// (5.1)): X ← X(aI + bXᵀX)(I + cXᵀX)⁻¹ from X = G/‖G‖_F, with the weights that are best for the interval of singular values
/// left. The backward-stable reference on any back end: products, Kaon's own blocked Cholesky factor, and triangular solves. Owns
/// its workspace.
///
/// c > 100: inverse-free, [√c X; I] = [Q₁; Q₂]R and X ← (b/c)X + (a − b/c)/√c·Q₁Q₂ᵀ, with Q by shifted CholeskyQR, three passes
/// (Fukaya, Kannan, Nakatsukasa, Yamamoto and Yanagisawa, SIAM J. Sci. Comput. 42, 2020). c ≤ 100: from I + cXᵀX = RᵀR.
///
/// Steps and weights are fixed by `lower` alone: at most 6 for lower ≥ 1e-16. With σ_r ≥ lower·‖G‖_F: ‖ZᵀZ − I‖ of a few 1e-15·√r
/// and ‖G − ZH‖ of a few 1e-15·‖G‖_F with H the symmetric part of ZᵀG, whatever the condition (held to κ = 1e14). Directions of
/// smaller values come out with some value in [0, 1]; those of a null space are rounding errors: for such G take GramPolar or an
/// SVD. polar(0) = 0; a NaN or an infinity gives NaNs. ‖G‖_F outside 1e-150…1e150 is not supported.
template <class Exec>
class Qdwh {
 public:
  /// Throws std::invalid_argument unless rows and cols are positive and 1e-16 ≤ lower < 1.
  Qdwh(int rows, int cols, double lower = 1e-16);

  /// Z ← polar factor of G; both rows×cols, contiguous and distinct. Asynchronous on `exec`: no allocation, no host round trip.
  void operator()(Exec const& exec, Out<Matrix<double, Exec>> const& Z, In<ConstMatrix<double, Exec>> const& G);

  /// Iterations of a call, and how many of them take three CholeskyQR passes.
  int steps() const;
  int qr_steps() const;

 private:
  int rows_, cols_;
  double lower_;
  Matrix<double, Exec> x_, stacked_, gram_;
  Scalar<double, Exec> norm_;
  Vector<double, Exec> partials_;
};

/// Floating-point operations of a call with the default `lower`, to balance owners by: two steps of three CholeskyQR passes on
/// the stacked (rows + cols)×cols matrix, four of a Cholesky factor.
double qdwh_cost(int rows, int cols);

}  // namespace kaon

#endif
