#include <kaon/deck/schema.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon {

namespace {

constexpr auto integer = KeyType::integer;
constexpr auto real = KeyType::real;
constexpr auto boolean = KeyType::boolean;
constexpr auto choice = KeyType::choice;
constexpr auto text = KeyType::text;
constexpr auto list = KeyType::list;
constexpr double most = 2147483647;

// The tables stay one key to a line or two.
// clang-format off

std::vector<Key> make_run() {
  constexpr std::string_view s = "run";
  return {
      {.section = s, .name = "steps", .type = integer, .required = true, .low = 0, .may_change = true,
       .help = "steps of the whole run, earlier parts included; fixed on a restart where the schedule depends on it"},
      {.section = s, .name = "seed", .type = integer, .fallback = "1", .low = 0, .help = "seed of every random stream"},
      {.section = s, .name = "precision", .type = choice, .fallback = "float", .choices = {"float", "double"},
       .help = "scalar type of weights, gradients and optimizer state"},
      {.section = s, .name = "directory", .type = text, .fallback = "kaon-run", .may_change = true,
       .help = "run folder: checkpoints, metrics.csv, the files stop and save"},
      {.section = s, .name = "log_every", .type = integer, .fallback = "10", .low = 0, .high = most, .may_change = true,
       .help = "steps between progress lines in a log file; 0: none"},
      {.section = s, .name = "validate_every", .type = integer, .fallback = "0", .low = 0, .high = most, .may_change = true,
       .help = "steps between validations; 0: only at the end"},
      {.section = s, .name = "blas_threads", .type = integer, .fallback = "1", .low = 1, .high = most, .may_change = true,
       .help = "threads of the host BLAS per rank; another number gives other last bits"},
  };
}

std::vector<Key> make_objectives() {
  constexpr std::string_view g = "gpt";
  constexpr std::string_view d = "data";
  return {
      {.section = "objective", .name = "kind", .type = choice, .required = true, .choices = {"gpt", "least-squares"},
       .help = "what is trained"},
      {.section = g, .name = "layers", .type = integer, .fallback = "4", .low = 1, .high = most, .help = "transformer blocks"},
      {.section = g, .name = "heads", .type = integer, .fallback = "4", .low = 1, .high = most,
       .help = "attention heads per block; divides gpt.width"},
      {.section = g, .name = "width", .type = integer, .fallback = "128", .low = 1, .high = most, .help = "numbers per token"},
      {.section = g, .name = "context", .type = integer, .fallback = "128", .low = 1, .high = most,
       .help = "tokens per sequence"},
      {.section = g, .name = "vocab", .type = integer, .fallback = "256", .low = 2, .high = most,
       .help = "different tokens; 256 for bytes of text"},
      {.section = g, .name = "mlp_ratio", .type = integer, .fallback = "4", .low = 1, .high = most,
       .help = "hidden width of the MLP in units of gpt.width"},
      {.section = g, .name = "tied", .type = boolean, .fallback = "no", .help = "embedding and head share their weights"},
      {.section = g, .name = "batch", .type = integer, .fallback = "8", .low = 1, .high = most,
       .help = "sequences per worker and step"},
      {.section = "least-squares", .name = "problem", .type = text, .needed_by = "least-squares", .help = "problem file (HDF5)"},
      {.section = "least-squares", .name = "noise", .type = real, .fallback = "0", .low = 0,
       .help = "standard deviation of the noise added to every entry of a gradient"},
      {.section = d, .name = "train", .type = list, .may_change = true, .needed_by = "gpt",
       .help = "training files; contents are checked on a restart, names are not"},
      {.section = d, .name = "format", .type = choice, .fallback = "auto", .choices = {"auto", "text", "tokens"},
       .help = "of the files: bytes of text, or token shards"},
      {.section = d, .name = "validation", .type = text, .may_change = true,
       .help = "validation file; empty: the last part of the training data"},
      {.section = d, .name = "validation_fraction", .type = real, .fallback = "0.05", .low = 0, .high = 1, .high_open = true,
       .help = "part of the training data kept for validation where there is no validation file"},
      {.section = d, .name = "validation_batches", .type = integer, .fallback = "16", .low = 1, .high = most, .may_change = true,
       .help = "batches per validation"},
      {.section = d, .name = "split", .type = choice, .fallback = "contiguous", .choices = {"contiguous", "interleaved"},
       .help = "how the workers divide the data"},
      {.section = d, .name = "order", .type = choice, .fallback = "random", .choices = {"sequential", "random"},
       .help = "order of a worker's sequences"},
  };
}

std::vector<Key> make_optimizer() {
  constexpr std::string_view s = "optimizer";
  return {
      {.section = s, .name = "workers", .type = integer, .required = true, .low = 1, .high = most,
       .help = "logical workers: part of the mathematics, whatever the number of ranks"},
      {.section = s, .name = "beta", .type = real, .fallback = "0.1", .low = 0, .high = 1, .low_open = true,
       .help = "weight of the NEW gradient in the momentum: 0.1 is a classical momentum of 0.9; 1: none"},
      {.section = s, .name = "nesterov", .type = boolean, .fallback = "no", .help = "look one momentum step ahead"},
      {.section = s, .name = "start", .type = choice, .fallback = "dense", .choices = {"dense", "zero"},
       .help = "first gradient estimate: the full first gradient, or nothing"},
      {.section = s, .name = "schedule", .type = choice, .fallback = "constant",
       .choices = {"constant", "linear", "inverse-sqrt", "inverse-three-quarters", "adaptive"},
       .help = "factor of every group's radius: constant 1; linear (see constant_fraction); K^-1/2; K^-3/4 with K = run.steps + 1; "
               "adaptive: the radius is gamma in t = gamma * (dual norm of G)"},
      {.section = s, .name = "constant_fraction", .type = real, .fallback = "0.5", .low = 0, .high = 1,
       .help = "schedule linear: fraction of the steps at full radius before it falls linearly to zero"},
      {.section = s, .name = "form", .type = choice, .fallback = "free", .choices = {"free", "constrained"},
       .help = "free: (1 - t weight_decay) X + t LMO(G); constrained: (1 - t) X + t LMO(G), which stays in the ball"},
      {.section = s, .name = "weight_decay", .type = real, .fallback = "0", .low = 0,
       .help = "decoupled weight decay d: X becomes (1 - t d) X before the step"},
  };
}

std::vector<Key> make_group_and_checkpoint() {
  constexpr std::string_view s = "group";
  return {
      {.section = "checkpoint", .name = "every", .type = integer, .fallback = "0", .low = 0, .may_change = true,
       .help = "steps between checkpoints; 0: only at a stop and at the end"},
      {.section = "checkpoint", .name = "keep", .type = integer, .fallback = "2", .low = 1, .high = most, .may_change = true,
       .help = "newest checkpoints kept"},
      {.section = s, .name = "layers", .type = list, .required = true,
       .help = "glob patterns over layer names; a layer joins the first group that matches it"},
      {.section = s, .name = "norm", .type = choice, .fallback = "spectral",
       .choices = {"spectral", "max-abs", "frobenius", "column", "row"}, .help = "norm whose ball the step lies in"},
      {.section = s, .name = "scale", .type = text, .fallback = "none",
       .help = "rule that scales the step with the layer's shape"},
      {.section = s, .name = "factor", .type = real, .fallback = "1", .low = 0, .low_open = true,
       .help = "constant factor of the step"},
      {.section = s, .name = "radius", .type = real, .required = true, .low = 0, .low_open = true,
       .help = "radius t of the ball, in the group's norm; schedule adaptive: gamma"},
      {.section = s, .name = "row_blocks", .type = integer, .fallback = "1", .low = 1, .high = most,
       .help = "equal blocks of rows, each with its own step: 3 for a fused QKV"},
      {.section = s, .name = "polar", .type = choice, .fallback = "polar-express",
       .choices = {"muon", "you", "polar-express", "cans", "exact"}, .help = "norm spectral: how the polar factor is computed"},
      {.section = s, .name = "polar_steps", .type = integer, .fallback = "5", .low = 1, .high = 1000,
       .help = "iterations of the polar polynomial; exact has none"},
      {.section = s, .name = "uplink", .type = text, .fallback = "identity",
       .help = "compressor from worker to server, e.g. top:0.15+natural"},
      {.section = s, .name = "downlink", .type = text, .fallback = "identity", .help = "compressor from server to workers"},
      {.section = s, .name = "beta", .type = real, .low = 0, .high = 1, .low_open = true, .inherits = "optimizer.beta",
       .help = "weight of the NEW gradient"},
      {.section = s, .name = "weight_decay", .type = real, .low = 0, .inherits = "optimizer.weight_decay",
       .help = "decoupled weight decay d: X becomes (1 - t d) X before the step"},
  };
}

// clang-format on

}  // namespace

std::vector<Key> const& schema() {
  static std::vector<Key> const table = [] {
    std::vector<Key> all;
    for (auto const& part : {make_run(), make_objectives(), make_optimizer(), make_group_and_checkpoint()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return table;
}

std::vector<std::string_view> const& sections() {
  static std::vector<std::string_view> const names = [] {
    std::vector<std::string_view> found;
    for (auto const& key : schema())
      if (std::find(found.begin(), found.end(), key.section) == found.end()) found.push_back(key.section);
    return found;
  }();
  return names;
}

Key const* find_key(std::string_view full) {
  auto const dot = full.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  auto section = full.substr(0, dot);
  auto const name = full.substr(dot + 1);
  constexpr std::string_view prefix = "group.";
  if (section == "group") return nullptr;  // a group has a name
  if (section.size() > prefix.size() && section.substr(0, prefix.size()) == prefix) section = "group";
  for (auto const& key : schema())
    if (key.section == section && key.name == name) return &key;
  return nullptr;
}

std::string allowed(Key const& key) {
  switch (key.type) {
    case KeyType::boolean:
      return "yes or no";
    case KeyType::text:
      return "text";
    case KeyType::list:
      return "a list, separated by commas or blanks";
    case KeyType::choice:
      return fmt::format("one of {}", fmt::join(key.choices, ", "));
    case KeyType::integer:
    case KeyType::real:
      break;
  }
  std::string out = key.type == KeyType::integer ? "an integer" : "a number";
  bool const below = key.low > -std::numeric_limits<double>::infinity();
  bool const above = key.high < std::numeric_limits<double>::infinity() && key.high != most;
  if (below) out += fmt::format(" {} {}", key.low_open ? ">" : ">=", key.low);
  if (above) out += fmt::format("{} {} {}", below ? " and" : "", key.high_open ? "<" : "<=", key.high);
  return out;
}

}  // namespace kaon
