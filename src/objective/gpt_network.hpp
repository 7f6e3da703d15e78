#ifndef KAON_OBJECTIVE_GPT_NETWORK_HPP
#define KAON_OBJECTIVE_GPT_NETWORK_HPP

#include <kaon/nn/attention.hpp>
#include <kaon/nn/cross_entropy.hpp>
#include <kaon/objective/gpt_shape.hpp>
#include <kaon/objective/objective.hpp>

#include <functional>
#include <vector>

namespace kaon {

/// The transformer as a function of its parameters and one batch of tokens: activations allocated once, no data, no state.
///
///   x = norm(embed[tokens])
///   each block:  y = norm(x);  q = rotate(norm(q y)), k = rotate(norm(k y)) per head;  x += o attention(q, k, v y)
///                y = norm(x);  x += down relu²(up y)
///   logits = head norm(x);  loss = mean cross-entropy in nats
///
/// norm is rms_norm without parameters. The architecture of the NanoGPT speed run (Jordan et al., 2024: rotary embedding, QK
/// norm, squared rectifier, norms without parameters, no biases), without its later additions.
template <class T>
class GptNetwork {
 public:
  using ConstPoint = typename Objective<T>::ConstPoint;
  using Sink = typename Objective<T>::Sink;
  using TokenVector = ConstVector<std::int32_t, Space>;

  explicit GptNetwork(GptShape const& shape);

  /// loss() = weight · Σ cross-entropy over the shape's batch·context tokens. W as GptShape::parameters().
  void forward(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, TokenVector const& inputs,
               TokenVector const& targets, double weight);
  /// The same loss; hands its gradient to `sink` matrix by matrix: head (unless tied), blocks from the last to the first (down,
  /// up, o, v, k, q), embed. The views share memory: each is valid until its sink call returns. `backward_begins` is called
  /// between forward and backward.
  void gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, TokenVector const& inputs,
                TokenVector const& targets, double weight, Sink const& sink, std::function<void()> const& backward_begins = {});

 private:
  using M = Matrix<T, Space>;
  using V = Vector<T, Space>;
  struct Block {
    M y1, q, k, v, mixed, y2, up, act;
    V scale1, scale_q, scale_k, scale2, P;
  };
  void hidden_states(Space const& exec, ConstPoint const& W, TokenVector const& inputs);
  void block_forward(Space const& exec, ConstPoint const& W, int block);
  void mlp_backward(Space const& exec, ConstPoint const& W, int block, Sink const& sink);
  void attention_part_backward(Space const& exec, ConstPoint const& W, int block, Sink const& sink);
  void weight_gradient(Space const& exec, int layer, M const& dY, M const& X, Sink const& sink);
  void check(ConstPoint const& W, TokenVector const& inputs, TokenVector const& targets) const;

  GptShape shape_;
  std::vector<Layer> layers_;
  AttentionShape heads_;
  std::vector<Block> blocks_;
  M x_, embedded_, last_, logits_, table_;
  V scale_embedded_, scale_last_;
  M dx_, dy_, dq_, dk_, dv_, dhidden_;
  V block_gradient_;
  M table_gradient_;
  AttentionWorkspace<T, Space> attention_;
  CrossEntropyWorkspace<Space> cross_entropy_;
};

}  // namespace kaon

#endif
