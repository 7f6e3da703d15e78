#include <kaon/core/error.hpp>
#include <kaon/objective/gpt_shape.hpp>

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace kaon {

void GptShape::check() const {
  std::pair<char const*, int> const positive[] = {{"layers", layers},   {"heads", heads}, {"width", width},
                                                  {"context", context}, {"vocab", vocab}, {"mlp_ratio", mlp_ratio},
                                                  {"batch", batch}};
  for (auto const& [name, value] : positive)
    if (value < 1) throw UsageError(fmt::format("model {} is {}; it must be at least 1", name, value));
  if (width % heads != 0 || (width / heads) % 2 != 0)
    throw UsageError(
        fmt::format("model width {} with {} heads: width/heads must be whole and even (rotary embedding turns pairs); "
                    "choose width as a multiple of {}",
                    width, heads, 2 * heads));
  if (vocab > 65536) throw UsageError(fmt::format("model vocab is {}; tokens are 16 bits, so at most 65536", vocab));
  if (std::int64_t{context} * context > 0x7fffffff)
    throw UsageError(
        fmt::format("model context is {}; the scores of a head have context² entries, which must stay below 2³¹: at "
                    "most 46340",
                    context));
  if (tokens() * std::int64_t{heads} > 0x7fffffff || std::int64_t{hidden()} * context > 0x7fffffff)
    throw UsageError(fmt::format("model batch {} with context {} and width {} is too large for one call; lower the batch", batch,
                                 context, width));
  if (!(init_scale >= 0) || !(embed_scale >= 0)) throw UsageError("model init_scale and embed_scale must not be negative");
  if (embed_scale == 0 && tied)
    throw UsageError("model embed_scale is 0 with a tied head: no gradient would ever flow; raise it");
}

std::vector<Layer> GptShape::parameters() const {
  std::vector<Layer> all{{"embed", vocab, width}};
  for (int i = 0; i < layers; ++i) {
    for (char const* part : {"q", "k", "v", "o"}) all.push_back({fmt::format("h{}.attn.{}", i, part), width, width});
    all.push_back({fmt::format("h{}.mlp.up", i), hidden(), width});
    all.push_back({fmt::format("h{}.mlp.down", i), width, hidden()});
  }
  if (!tied) all.push_back({"head", vocab, width});
  return all;
}

double GptShape::deviation(int const layer) const {
  if (layer == GptIndex::embed()) return embed_scale;
  double const spread = init_scale / std::sqrt(static_cast<double>(width));
  if (layer == GptIndex::head(*this)) return zero_head ? 0 : spread;
  int const part = (layer - 1) % GptIndex::parts;
  if (part == GptIndex::o) return zero_projections ? 0 : spread;
  if (part == GptIndex::down) return zero_projections ? 0 : init_scale / std::sqrt(static_cast<double>(hidden()));
  return spread;
}

}  // namespace kaon
