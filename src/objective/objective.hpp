#ifndef KAON_OBJECTIVE_OBJECTIVE_HPP
#define KAON_OBJECTIVE_OBJECTIVE_HPP

#include <kaon/core/types.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/objective/model.hpp>
#include <kaon/state/contents.hpp>
#include <kaon/state/registry.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace kaon {

/// What one gradient is of: a micro-batch of a worker's batch at a step.
struct Share {
  int worker = 0;
  std::uint64_t step = 0;
  int micro = 0;  ///< below micro_batches()
};

/// f(X) = (1/n) Σ_j f_j(X) over n workers, X = [X_1 … X_p] one matrix per layer. Implement this to put a problem of your own
/// behind the optimizer. Results must depend on (worker, step, micro-batch, W) and saved state alone, never on the rank or on
/// what other workers did: that is what makes runs independent of the number of ranks.
template <class T>
class Objective {
 public:
  /// One view per layer, in the order of layers().
  using Point = std::vector<Matrix<T, Space>>;
  /// W, each layer awaited when it is first read.
  using ConstPoint = Model<T>;
  /// Receives layer `i`'s gradient (rows×cols) as soon as it is final. The view is valid until the sink returns; the sink
  /// does not modify it. Called exactly once per layer, in any order (the last layers first is best).
  using Sink = std::function<void(int layer, ConstMatrix<T, Space> const& gradient)>;

  virtual ~Objective() = default;
  virtual std::vector<Layer> const& layers() const = 0;
  /// Fills X with the starting point X⁰; the same bits on every rank.
  virtual void initialize(Space const& exec, Point const& X) = 0;
  /// Into how many micro-batches a worker's batch is cut: part of the mathematics, since their gradients are added in a fixed
  /// order. Ranks beyond the number of workers share a worker's micro-batches.
  virtual int micro_batches() const { return 1; }
  /// The share's part of f_j and of its gradient at W (of a mini-batch for a stochastic objective): summed over the worker's
  /// micro-batches they are f_j(W) and ∇f_j(W). Writes the loss to `loss` on the device and hands every layer's gradient to
  /// `sink`. Called once a step for each share this rank computes, workers ascending, then micro-batches. The same share asked
  /// for again gives the same result.
  virtual void gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
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
  /// Tokens (or samples) that one worker's gradient of a step consumes, all its micro-batches; for progress and counters.
  virtual std::uint64_t samples_per_gradient() const { return 1; }
  /// Adds the objective's own state (data positions). This rank writes the workers [first, first+count); what it needs back is
  /// the objective's to say (all of a small state is the simple choice: several ranks may compute one worker's micro-batches).
  virtual void register_state(Registry& /*registry*/, int /*first_worker*/, int /*worker_count*/) {}
  /// What it reads from files, if that is to be the same on every rank, during the run and after a restart: kaon::Training then
  /// hashes it once a copy and host at every start and sees to it. An objective that returns something adds
  /// fingerprint_field() to its state. It belongs to the objective.
  virtual Contents* contents() { return nullptr; }
  /// One line for the log: what is being trained, on what.
  virtual std::string describe() const = 0;

  /// Who is told, during gradient(), that forward is over and backward begins; for phase times.
  void watch_backward(std::function<void()> told) { told_ = std::move(told); }

 protected:
  /// An objective calls it once in every gradient(), between forward and backward. One that does not has its forward counted
  /// until the first layer's gradient.
  void backward_begins() const {
    if (told_) told_();
  }

 private:
  std::function<void()> told_;
};

}  // namespace kaon

#endif
