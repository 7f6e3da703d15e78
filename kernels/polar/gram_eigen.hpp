#ifndef KAON_POLAR_GRAM_EIGEN_HPP
#define KAON_POLAR_GRAM_EIGEN_HPP

#include <kaon/core/types.hpp>

#include <memory>
#include <vector>

namespace kaon {

/// Singular values of a matrix G = Σ σ_i u_i v_iᵀ and the recomposition Σ w_i u_i v_iᵀ with other values: what exact polar
/// factors and the oracles of norms of singular values need. Owns its workspace. r = min(rows, cols), l = max(rows, cols).
///
/// float: by the eigenproblem of the smaller Gram matrix in fp64, GGᵀ = V Λ Vᵀ, σ = √λ, and Σ w_i u_i v_iᵀ = V diag(w/σ) Vᵀ G (on
///   the right for a tall G; through r×k factors where at most r/2 weights are not zero). The Gram matrix costs the values below
///   about 1e-8·σ₁, which float does not hold either: an error of a few ε_double·(σ₁/σ_i)² in the directions of σ_i. The last
///   products run in float where that costs at most 32·ε_float (by the factor max(w/σ)·σ₁/max(w) of rounding errors), else in
///   double. About 4r²l + 27r³ flop. σ_i ≤ 2ε_float·‖G‖_F, what rounding G to float may have moved, counts as zero.
/// double: a Gram matrix would cost an error of κ²ε, so LAPACK's gesdd on the host (svd_host), backward stable: 20r²l flop and
///   allocations. σ_i ≤ ε_double·max(rows, cols)·σ₁ counts as zero.
/// Both wait for `exec`, since the values are read on the host. Deterministic for one route of SymmetricEigen.
template <class T, class Exec>
class SingularFactors {
 public:
  /// Throws std::invalid_argument unless rows and cols are positive.
  SingularFactors(int rows, int cols);
  ~SingularFactors();
  SingularFactors(SingularFactors&&) noexcept;
  SingularFactors& operator=(SingularFactors&&) noexcept;

  /// Factors G (rows×cols, contiguous). False, with nothing to compose, where G holds a NaN or an infinity.
  bool factor(Exec const& exec, In<ConstMatrix<T, Exec>> const& G);

  /// σ, descending, r of them; what counts as zero is 0.
  std::vector<double> const& values() const { return values_; }

  /// Z ← Σ weights[i]·u_i·v_iᵀ for the G last factored, given again. weights: r of them, ≥ 0; those of zero values are ignored.
  void compose(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G,
               std::vector<double> const& weights);

  int rows() const { return rows_; }
  int cols() const { return cols_; }

 private:
  struct Workspace;
  int rows_, cols_;
  std::vector<double> values_;
  std::unique_ptr<Workspace> work_;
};

/// Exact polar factor Z = U·Vᵀ over the values of G that SingularFactors does not count as zero, so polar(0) = 0; a NaN or an
/// infinity gives NaNs. Error as there: with κ = σ₁/σ_r, max|Z − UVᵀ| is about 32ε + ε_double·κ² in float, κε in double. Waits
/// for `exec`.
template <class T, class Exec>
class GramPolar {
 public:
  /// For `batch` matrices of rows×cols, stacked; they are worked off one after the other.
  GramPolar(int rows, int cols, int batch = 1);

  /// Z ← polar factors; Z and G are (batch·rows)×cols, contiguous and distinct, else std::invalid_argument.
  void operator()(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G);

 private:
  int batch_;
  SingularFactors<T, Exec> factors_;
};

/// Floating-point operations of one call of GramPolar<float>, in units that run as fast as a float product.
double gram_polar_cost(int rows, int cols);

}  // namespace kaon

#endif
