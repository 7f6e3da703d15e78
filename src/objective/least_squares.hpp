#ifndef KAON_OBJECTIVE_LEAST_SQUARES_HPP
#define KAON_OBJECTIVE_LEAST_SQUARES_HPP

#include <kaon/keys/key_values.hpp>
#include <kaon/objective/objective.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kaon {

/// f_j(X) = ‖A_j X − B_j‖²_F / (2r), ∇f_j(X) = A_jᵀ(A_j X − B_j) / r on one layer "x" (m×c), from an HDF5 problem file
/// (see read_problem). With noise σ > 0 the gradient is ∇f_j + Z, Z Gaussian with E‖Z‖²_F = σ², independent for every step and
/// worker; losses stay exact. Validation is f(X) = (1/n) Σ f_j(X), one piece per worker. State: "/data/fingerprint" (u64, 1), of
/// the numbers in the file.
template <class T>
class LeastSquares final : public Objective<T> {
 public:
  using typename Objective<T>::Point;
  using typename Objective<T>::ConstPoint;
  using typename Objective<T>::Sink;

  /// Throws InputError naming file and dataset when the file does not hold a sound problem of `workers` workers; UsageError
  /// when the noise is negative or not finite.
  LeastSquares(std::string const& path, int workers, double noise, std::uint64_t seed);

  /// From the values of its sections.
  static std::unique_ptr<Objective<T>> make(SectionValues const& values, int workers, std::uint64_t seed);

  std::vector<Layer> const& layers() const override { return layers_; }
  void initialize(Space const& exec, Point const& X) override;
  void gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                Sink const& sink) override;
  bool has_validation() const override { return true; }
  int validation_pieces() const override { return workers_; }
  std::pair<double, double> validate_piece(Space const& exec, ConstPoint const& W, int piece) override;
  std::uint64_t samples_per_gradient() const override { return samples_; }
  Contents* contents() override { return contents_.get(); }
  void register_state(Registry& registry, int first_worker, int worker_count) override;
  std::string describe() const override;

 private:
  /// R ← A_j X − B_j and loss() = ‖R‖²_F / (2r).
  void residual(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, int worker);
  ConstMatrix<T, Space> block(Matrix<T, Space> const& stacked, int worker) const;

  std::string path_;
  std::unique_ptr<Contents> contents_;
  int workers_;
  std::size_t samples_ = 0;
  double noise_;
  std::uint64_t seed_;
  std::vector<Layer> layers_;
  Matrix<T, Space> A_, B_, X0_;     ///< (n·r)×m, (n·r)×c, m×c
  Matrix<T, Space> R_, G_;          ///< workspace: r×c, m×c
  Vector<double, Space> partials_;  ///< workspace of the loss's sum
  Scalar<double, Space> piece_;     ///< a validation piece's loss
};

}  // namespace kaon

#endif
