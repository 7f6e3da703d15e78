#ifndef KAON_OBJECTIVE_GPT_HPP
#define KAON_OBJECTIVE_GPT_HPP

#include <kaon/data/batches.hpp>
#include <kaon/keys/key_values.hpp>
#include <kaon/objective/gpt_network.hpp>
#include <kaon/objective/gpt_shape.hpp>
#include <kaon/objective/objective.hpp>

#include <memory>

namespace kaon {

/// Language modelling: f_j(X) = mean cross-entropy, in nats a token, of the transformer X on worker j's tokens. A gradient is
/// that of the worker's next batch: GptShape::batch sequences in each of its micro-batches. One set of activations serves all
/// micro-batches of all workers of the rank in turn.
///
/// Start (as in the NanoGPT speed run): entries are normal numbers of the stream (seed, initialise, step 0, layer index, worker
/// 0) with the standard deviations of GptShape::deviation; output projections start at zero. State: "/data/cursor" (i64,
/// workers×3: file, draws taken in the epoch, epoch) and "/data/fingerprint" (u64, 1).
template <class T>
class Gpt final : public Objective<T> {
 public:
  using typename Objective<T>::Point;
  using typename Objective<T>::ConstPoint;
  using typename Objective<T>::Sink;

  /// `data` deals batches of the shape's size; its number of workers is that of the run. Throws UsageError for a shape that does
  /// not fit, std::invalid_argument when data and shape disagree.
  Gpt(GptShape const& shape, std::unique_ptr<Batches> data, std::uint64_t seed);
  /// Loads the data itself; throws InputError as Batches does.
  Gpt(GptShape const& shape, DataSettings const& data, std::uint64_t seed, int workers, int micro_batches = 1);

  /// From the values of its sections.
  static std::unique_ptr<Objective<T>> make(SectionValues const& values, int workers, std::uint64_t seed);

  std::vector<Layer> const& layers() const override { return layers_; }
  void initialize(Space const& exec, Point const& X) override;
  int micro_batches() const override { return data_->shape().micro_batches; }
  void gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                Sink const& sink) override;
  bool has_validation() const override { return data_->validation_pieces() > 0; }
  int validation_pieces() const override { return data_->validation_pieces(); }
  /// {sum of the losses of the piece's tokens in nats, their number}; a piece is one batch of held-out sequences.
  std::pair<double, double> validate_piece(Space const& exec, ConstPoint const& W, int piece) override;
  std::uint64_t samples_per_gradient() const override {
    return static_cast<std::uint64_t>(shape_.tokens()) * static_cast<std::uint64_t>(micro_batches());
  }
  void register_state(Registry& registry, int first_worker, int worker_count) override;
  Contents* contents() override { return data_.get(); }
  std::string describe() const override;

  GptShape const& shape() const { return shape_; }
  Batches const& data() const { return *data_; }

 private:
  GptShape shape_;
  std::uint64_t seed_;
  std::vector<Layer> layers_;
  std::unique_ptr<Batches> data_;
  GptNetwork<T> network_;
  Scalar<double, Space> validation_loss_;
};

}  // namespace kaon

#endif
