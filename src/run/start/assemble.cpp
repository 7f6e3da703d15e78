#include <kaon/run/start/assemble.hpp>
#include <kaon/run/start/idle_keys.hpp>

#include <kaon/core/error.hpp>
#include <kaon/deck/groups.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/objective/gpt.hpp>
#include <kaon/objective/least_squares.hpp>

namespace kaon {

namespace {

GptShape gpt_shape(Deck const& deck) {
  GptShape s;
  s.layers = deck.integer("gpt.layers");
  s.heads = deck.integer("gpt.heads");
  s.width = deck.integer("gpt.width");
  s.context = deck.integer("gpt.context");
  s.vocab = deck.integer("gpt.vocab");
  s.mlp_ratio = deck.integer("gpt.mlp_ratio");
  int const micros = deck.integer("gpt.micro_batches"), batch = deck.integer("gpt.batch");
  if (batch % micros != 0)
    throw UsageError(deck.origin() + ": gpt.batch = " + std::to_string(batch) +
                     " cannot be cut into gpt.micro_batches = " + std::to_string(micros) + " equal parts; choose a divisor");
  s.batch = batch / micros;
  s.tied = deck.flag("gpt.tied");
  return s;
}

DataSettings data_settings(Deck const& deck) {
  DataSettings d;
  d.train = deck.list("data.train");
  d.format = deck.text("data.format");
  d.validation = deck.text("data.validation");
  d.validation_fraction = deck.real("data.validation_fraction");
  d.split = deck.text("data.split");
  d.order = deck.text("data.order");
  d.validation_batches = deck.integer("data.validation_batches");
  return d;
}

}  // namespace

template <class T>
std::unique_ptr<Objective<T>> make_objective(Deck const& deck) {
  auto const seed = static_cast<std::uint64_t>(deck.integer64("run.seed"));
  int const workers = deck.integer("optimizer.workers");
  if (deck.text("objective.kind") == "own")
    throw UsageError(deck.origin() +
                     ": objective.kind = own is for C++ programs that pass kaon::Training an objective of theirs "
                     "(examples/own-objective); this program has none");
  if (deck.text("objective.kind") == "gpt")
    return std::make_unique<Gpt<T>>(gpt_shape(deck), data_settings(deck), seed, workers, deck.integer("gpt.micro_batches"));
  return std::make_unique<LeastSquares<T>>(deck.text("least-squares.problem"), workers, deck.real("least-squares.noise"), seed);
}
template std::unique_ptr<Objective<float>> make_objective<float>(Deck const&);
template std::unique_ptr<Objective<double>> make_objective<double>(Deck const&);

OptimizerSettings optimizer_settings(Deck const& deck) {
  OptimizerSettings o;
  o.workers = deck.integer("optimizer.workers");
  o.start = deck.text("optimizer.start") == "dense" ? Start::dense : Start::zero;
  o.nesterov = deck.flag("optimizer.nesterov");
  o.adaptive = make_schedule(deck).adaptive();
  o.seed = static_cast<std::uint64_t>(deck.integer64("run.seed"));
  o.bundle_bytes = static_cast<std::size_t>(deck.integer64("exchange.bundle"));
  return o;
}

Schedule make_schedule(Deck const& deck) {
  auto const at = [&](char const* key) { return deck.where(std::string("optimizer.") + key); };
  ScheduleSettings s;
  s.kind = deck.text("optimizer.schedule");
  s.steps = static_cast<std::uint64_t>(deck.integer64("run.steps"));
  s.constant_fraction = deck.real("optimizer.constant_fraction");
  s.floor = deck.real("optimizer.schedule_floor");
  s.warmup = static_cast<std::uint64_t>(deck.integer64("optimizer.warmup_steps"));
  try {
    return Schedule(s);
  } catch (UsageError const& e) {
    throw UsageError(at("warmup_steps") + ": optimizer.warmup_steps: " + e.what());
  }
}

Retention retention(Deck const& deck) {
  return {deck.integer("checkpoint.keep"), static_cast<std::uint64_t>(deck.integer64("checkpoint.keep_every"))};
}

SavePolicy::Settings save_settings(Deck const& deck) {
  return {static_cast<std::uint64_t>(deck.integer64("checkpoint.every")), deck.real("checkpoint.minutes"),
          deck.real("checkpoint.mtbf")};
}

namespace {
template <class Key>
PolarSettings polar_settings(Deck const& deck, Key const& key) {
  PolarSettings p;
  auto const route = deck.text(key("polar"));
  p.exact = route == "exact";
  p.qdwh = route == "qdwh";
  if (!p.exact && !p.qdwh) p.set = route;
  p.steps = deck.integer(key("polar_steps"));
  p.tolerance = deck.real(key("polar_tolerance"));
  p.lower = deck.real(key("polar_lower"));
  p.form = deck.text(key("polar_form"));
  p.scaling = deck.text(key("polar_scaling"));
  p.half = deck.flag(key("polar_half"));
  return p;
}
}  // namespace

namespace {
std::string own_text(Deck const& deck, Key const& key, std::string const& full) {
  if (key.type == KeyType::integer) return std::to_string(deck.integer64(full));
  if (key.type == KeyType::boolean) return deck.flag(full) ? "1" : "0";
  if (key.type != KeyType::real) return deck.text(full);
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", deck.real(full));
  return text;
}
}  // namespace

LayerPlan layer_settings(Deck const& deck, std::vector<Layer> const& layers) {
  std::vector<std::string> names;
  for (auto const& l : layers) names.push_back(l.name);
  auto const assigned = assign_groups(deck, names);
  LayerPlan plan;
  for (auto const& idle : assigned.idle) plan.warnings.push_back("no layer belongs to [group." + idle + "]");
  for (auto const& [group, pattern] : assigned.unmatched)
    plan.warnings.push_back(deck.where("group." + group + ".layers") + ": group." + group + ".layers: '" + pattern +
                            "' is no layer's name");
  for (auto const& line : idle_keys(deck)) plan.warnings.push_back(line);
  for (auto const& name : deck.groups())
    for (auto const& line : idle_keys(deck, name)) plan.warnings.push_back(line);
  for (int g : assigned.group) {
    auto const& name = deck.groups()[static_cast<std::size_t>(g)];
    auto const key = [&](char const* k) { return "group." + name + "." + k; };
    LayerSettings s;
    s.lmo.norm = deck.text(key("norm"));
    s.lmo.scale = deck.text(key("scale"));
    s.lmo.factor = deck.real(key("factor"));
    s.lmo.row_blocks = deck.integer(key("row_blocks"));
    s.lmo.col_blocks = deck.integer(key("col_blocks"));
    s.lmo.p = deck.real(key("schatten_p"));
    s.lmo.k = deck.integer(key("ky_fan_k"));
    s.lmo.polar = polar_settings(deck, key);
    s.radius = deck.real(key("radius"));
    s.beta = deck.real(key("beta"));
    s.decay = deck.text("optimizer.form") == "constrained" ? 1.0 : deck.real(key("weight_decay"));
    s.uplink = deck.text(key("uplink"));
    s.downlink = deck.text(key("downlink"));
    s.method = deck.text(key("method"));
    for (auto const& k : schema())
      if (k.section == "group" && k.method == s.method) s.own[std::string(k.name)] = own_text(deck, k, key(k.name.data()));
    if (deck.text("optimizer.form") == "constrained" && !means_something(*find_key(key("norm")), s.method))
      throw UsageError(deck.where(key("method")) + ": " + key("method") + " = " + s.method +
                       ": optimizer.form = constrained is a step towards a point of a ball, and this method has none; a run of "
                       "form = free may have it");
    plan.settings.push_back(std::move(s));
    plan.group.push_back(name);
    plan.group_index.push_back(static_cast<std::size_t>(g));
  }
  return plan;
}

}  // namespace kaon
