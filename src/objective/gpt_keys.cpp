#include <kaon/objective/data_keys.hpp>
#include <kaon/objective/gpt_keys.hpp>

#include <fmt/format.h>

namespace kaon {

namespace {

// clang-format off

std::vector<Key> gpt_keys() {
  char const* const g = "gpt";
  return {
      {.section = g, .name = "layers", .type = KeyType::integer, .fallback = "4", .low = 1, .high = most_int,
       .words = {"nlayer", "nlayers", "numlayers", "depth"}, .help = "transformer blocks"},
      {.section = g, .name = "heads", .type = KeyType::integer, .fallback = "4", .low = 1, .high = most_int,
       .words = {"nhead", "nheads", "numheads"}, .help = "attention heads per block; gpt.width / gpt.heads is whole and even"},
      {.section = g, .name = "width", .type = KeyType::integer, .fallback = "128", .low = 1, .high = most_int,
       .words = {"nembd", "dmodel", "hiddensize", "embeddim"}, .help = "numbers per token"},
      {.section = g, .name = "context", .type = KeyType::integer, .fallback = "128", .low = 1, .high = most_int,
       .words = {"blocksize", "seqlen", "sequencelength", "maxseqlen", "nctx"}, .help = "tokens per sequence"},
      {.section = g, .name = "vocab", .type = KeyType::integer, .fallback = "256", .low = 2, .high = most_int,
       .words = {"vocabsize"}, .help = "different tokens, at most 65536; 256 for bytes of text"},
      {.section = g, .name = "mlp_ratio", .type = KeyType::integer, .fallback = "4", .low = 1, .high = most_int,
       .help = "hidden width of the MLP in units of gpt.width"},
      {.section = g, .name = "tied", .type = KeyType::boolean, .fallback = "no", .words = {"tieweights", "tiedembeddings"},
       .help = "embedding and head are one matrix, the layer embed"},
      {.section = g, .name = "batch", .type = KeyType::integer, .fallback = "8", .low = 1, .high = most_int,
       .words = {"batchsize", "bs"}, .help = "sequences per worker and step"},
      {.section = g, .name = "micro_batches", .type = KeyType::integer, .fallback = "1", .low = 1, .high = most_int,
       .words = {"gradientaccumulationsteps", "gradaccum", "accumulation"},
       .help = "equal parts of a worker's batch, whose gradients are added in a fixed order: less memory, and up to so many "
               "ranks share a worker"},
  };
}

// clang-format on

void check_gpt(SectionValues const& values) {
  auto const& gpt = values["gpt"];
  int const width = gpt.integer("width"), heads = gpt.integer("heads");
  if (width % heads != 0)
    throw UsageError(fmt::format("{}: gpt.width = {} is not a multiple of gpt.heads = {}", gpt.where("width"), width, heads));
  int const batch = gpt.integer("batch"), micros = gpt.integer("micro_batches");
  if (batch % micros != 0)
    throw UsageError(fmt::format("{}: gpt.batch = {} cannot be cut into gpt.micro_batches = {} equal parts; choose a divisor",
                                 gpt.where("micro_batches"), batch, micros));
}

}  // namespace

GptShape gpt_shape(KeyValues const& gpt) {
  GptShape s;
  s.layers = gpt.integer("layers");
  s.heads = gpt.integer("heads");
  s.width = gpt.integer("width");
  s.context = gpt.integer("context");
  s.vocab = gpt.integer("vocab");
  s.mlp_ratio = gpt.integer("mlp_ratio");
  s.batch = gpt.integer("batch") / gpt.integer("micro_batches");
  s.tied = gpt.flag("tied");
  return s;
}

ObjectiveTraits gpt_traits() {
  return {.name = "gpt",
          .help = "a transformer on text or tokens",
          .keys = gpt_keys(),
          .shares = {"data"},
          .check = check_gpt,
          .idle = [](SectionValues const& values) { return idle_data_keys(values["data"]); },
          .micro_batches = "gpt.micro_batches"};
}

}  // namespace kaon
