#ifndef KAON_OBJECTIVE_GPT_SHAPE_HPP
#define KAON_OBJECTIVE_GPT_SHAPE_HPP

#include <kaon/layer/layer.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kaon {

/// Size and start of a transformer.
struct GptShape {
  int layers = 4;     ///< blocks
  int heads = 4;      ///< attention heads a block; width/heads must be whole and even
  int width = 128;    ///< of the residual stream
  int context = 128;  ///< tokens in a sequence
  int vocab = 256;
  int mlp_ratio = 4;             ///< hidden width of the MLP over width
  int batch = 8;                 ///< sequences per micro-batch: what one pass works on
  bool tied = false;             ///< the head is the embedding
  double init_scale = 0.5;       ///< standard deviation of q, k, v, up and head times √(inputs)
  double embed_scale = 0.02;     ///< standard deviation of the embedding
  bool zero_projections = true;  ///< o and down start at zero, so that every block starts as the identity
  bool zero_head = false;        ///< an untied head starts at zero: uniform predictions

  std::int64_t tokens() const { return std::int64_t{batch} * context; }
  int head_width() const { return width / heads; }
  int hidden() const { return mlp_ratio * width; }

  /// Throws UsageError naming the number that does not fit and what would.
  void check() const;
  /// `embed` (vocab×width), then per block i `hi.attn.q`, `.k`, `.v`, `.o` (width×width), `hi.mlp.up` (mlp_ratio·width × width)
  /// and `hi.mlp.down` (width × mlp_ratio·width), then `head` (vocab×width; absent when tied). No biases.
  std::vector<Layer> parameters() const;
  /// Standard deviation that parameters()[layer] starts with; 0: zeros.
  double deviation(int layer) const;
};

/// Place of a matrix in parameters().
struct GptIndex {
  enum Part { q, k, v, o, up, down, parts };
  static int embed() { return 0; }
  static int block(int block, Part part) { return 1 + parts * block + part; }
  static int head(GptShape const& s) { return s.tied ? 0 : 1 + parts * s.layers; }
};

}  // namespace kaon

#endif
