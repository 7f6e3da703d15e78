#include <kaon/objective/data_keys.hpp>

namespace kaon {

// clang-format off

std::vector<Key> data_keys() {
  char const* const d = "data";
  return {
      {.section = d, .name = "train", .type = KeyType::list, .required = true, .may_change = true, .path = true,
       .words = {"dataset", "corpus", "trainfile", "trainfiles"},
       .help = "training files or patterns, read as one text; contents are checked on a restart, names are not"},
      {.section = d, .name = "format", .type = KeyType::choice, .fallback = "auto",
       .choices = {"auto", "text", "tokens", "bytes"}, .may_change = true,
       .help = "of the files: bytes of text, or GPT-2 token shards; auto: told by the magic number, or a name in .bin; bytes: "
               "every byte a token, also of what is plainly no text"},
      {.section = d, .name = "validation", .type = KeyType::text, .may_change = true, .path = true,
       .words = {"valfile", "valfiles", "valdata"},
       .help = "validation file or pattern; contents are checked on a restart; empty: validation_fraction is held out"},
      {.section = d, .name = "validation_fraction", .type = KeyType::real, .fallback = "0.05", .low = 0, .high = 1,
       .high_open = true,
       .help = "part of the training data held out, in up to 64 blocks spread evenly over it; 0: no validation"},
      {.section = d, .name = "validation_batches", .type = KeyType::integer, .fallback = "16", .low = 1, .high = most_int,
       .may_change = true, .help = "at most so many batches of gpt.batch sequences per validation"},
      {.section = d, .name = "split", .type = KeyType::choice, .fallback = "contiguous", .choices = {"contiguous", "interleaved"},
       .help = "each worker has one stretch of the training sequences, or the workers take them in turn"},
      {.section = d, .name = "order", .type = KeyType::choice, .fallback = "random", .choices = {"sequential", "random"},
       .help = "of a worker's sequences: as in the text, or drawn with replacement"},
  };
}

// clang-format on

DataSettings data_settings(KeyValues const& data) {
  DataSettings d;
  d.train = data.list("train");
  d.format = data.text("format");
  d.validation = data.text("validation");
  d.validation_fraction = data.real("validation_fraction");
  d.split = data.text("split");
  d.order = data.text("order");
  d.validation_batches = data.integer("validation_batches");
  return d;
}

std::vector<IdleKey> idle_data_keys(KeyValues const& data) {
  if (!data.text("validation").empty()) return {{"data.validation_fraction", "data.validation to be empty"}};
  if (data.real("validation_fraction") != 0) return {};
  auto const needs = "a data.validation or a data.validation_fraction above 0";
  return {{"data.validation_batches", needs}, {"run.validate_every", needs}};
}

}  // namespace kaon
