#ifndef KAON_LINALG_EIGEN_HPP
#define KAON_LINALG_EIGEN_HPP

#include <kaon/core/types.hpp>

#include <memory>

namespace kaon {

/// Who solves a symmetric eigenproblem.
enum class EigenRoute {
  best,    ///< the vendor where there is one for the execution space, else jacobi
  vendor,  ///< cuSOLVER's syevd on CUDA; LAPACK's dsyevd elsewhere (of a device matrix: by a round trip through the host)
  jacobi,  ///< Kaon's own cyclic Jacobi, on the device
};

/// Eigenvalues and eigenvectors of a symmetric n×n matrix in fp64; owns its workspace.
///
/// A = Vᵀ·diag(λ)·V with λ ascending; **row** i of V is the eigenvector of λ_i. Backward stable on every route: |λ̂ − λ|,
/// ‖A − Vᵀ diag(λ) V‖ and ‖VVᵀ − I‖ (times ‖A‖) are a few ε·√n·‖A‖. Cost: about 9n³ flop (vendor), 12n³ a sweep and 5–10 sweeps
/// (Jacobi: two launches for each of a sweep's n rounds). Deterministic on each route; eigenvectors of equal eigenvalues, and
/// signs, differ between routes.
///
/// Jacobi: all pairs (p, q) in the round-robin order of a tournament, n/2 disjoint rotations at once, each annihilating a_pq by
/// the small angle (Golub and Van Loan, Matrix Computations, §8.5.2–8.5.6), until the off-diagonal is below ε‖A‖_F.
template <class Exec>
class SymmetricEigen {
 public:
  /// Workspace for n×n matrices. Throws std::invalid_argument unless n > 0.
  explicit SymmetricEigen(int n, EigenRoute route = EigenRoute::best);
  ~SymmetricEigen();
  SymmetricEigen(SymmetricEigen&&) noexcept;
  SymmetricEigen& operator=(SymmetricEigen&&) noexcept;

  /// values ← λ (length n), A_inout (n×n, symmetric, contiguous) ← V. **Waits for `exec`**: LAPACK works on the host, and
  /// Jacobi's test for convergence is read there once a sweep; no allocation. Entries beyond 1e150 in size are not supported.
  /// Throws NumericalError on a NaN or an infinity, or without convergence.
  void operator()(Exec const& exec, Out<Vector<double, Exec>> const& values, Out<Matrix<double, Exec>> const& A_inout);

  int size() const { return n_; }

 private:
  struct Vendor;
  int n_;
  std::unique_ptr<Vendor> vendor_;
  Matrix<double, Exec> vectors_;
  Vector<double, Exec> rotations_, diagonal_, partials_;
  Scalar<double, Exec> sum_;
};

}  // namespace kaon

#endif
