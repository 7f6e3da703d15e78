#ifndef KAON_OBJECTIVE_OBJECTIVE_HPP
#define KAON_OBJECTIVE_OBJECTIVE_HPP

#include <kaon/core/types.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/state/registry.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace kaon {

/// Everything above kernels/ runs on Kokkos' default execution space.
using Space = Kokkos::DefaultExecutionSpace;

/// f(X) = (1/n) Σ_j f_j(X) over n workers, X = [X_1 … X_p] one matrix per layer. Implement this to put a problem of your own
/// behind the optimizer. Results must depend on (worker, step, W) and saved state alone, never on the rank or on what other
/// workers did: that is what makes runs independent of the number of ranks.
template <class T>
class Objective {
 public:
  /// One view per layer, in the order of layers().
  using Point = std::vector<Matrix<T, Space>>;
  using ConstPoint = std::vector<ConstMatrix<T, Space>>;
  /// Receives layer `i`'s gradient (rows×cols) as soon as it is final. The view is valid until the sink returns; the sink
  /// does not modify it. Called exactly once per layer, in any order (the last layers first is best).
  using Sink = std::function<void(int layer, ConstMatrix<T, Space> const& gradient)>;

  virtual ~Objective() = default;
  virtual std::vector<Layer> const& layers() const = 0;
  /// Fills X with the starting point X⁰; the same bits on every rank.
  virtual void initialize(Space const& exec, Point const& X) = 0;
  /// Gradient of f_j at W for worker j at step k (a mini-batch's for a stochastic objective): writes the loss to `loss` on the
  /// device and hands every layer's gradient to `sink`. Called once a step for each worker this rank hosts, workers ascending.
  virtual void gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, int worker, std::uint64_t step,
                        Sink const& sink) = 0;
  /// Whether validate() means something.
  virtual bool has_validation() const { return false; }
  /// Number of independent pieces of the validation set; piece p < pieces goes through validate_piece on any one rank, and the
  /// validation loss is Σ sums / Σ weights added in piece order.
  virtual int validation_pieces() const { return 0; }
  /// Returns {sum of losses, weight} of piece p at W.
  virtual std::pair<double, double> validate_piece(Space const& /*exec*/, ConstPoint const& /*W*/, int /*piece*/) {
    return {0, 0};
  }
  /// Tokens (or samples) that one gradient call consumes; for progress and counters.
  virtual std::uint64_t samples_per_gradient() const { return 1; }
  /// Adds the objective's own state (data positions) for the workers [first, first+count) that this rank hosts.
  virtual void register_state(Registry& /*registry*/, int /*first_worker*/, int /*worker_count*/) {}
  /// One line for the log: what is being trained, on what.
  virtual std::string describe() const = 0;
};

}  // namespace kaon

#endif
