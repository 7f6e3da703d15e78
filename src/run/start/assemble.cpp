#include <kaon/run/start/assemble.hpp>
#include <kaon/run/start/idle_keys.hpp>

#include <kaon/core/error.hpp>
#include <kaon/deck/groups.hpp>
#include <kaon/method/registry.hpp>
#include <kaon/objective/registry.hpp>
#include <kaon/run/start/shipped.hpp>

#include <algorithm>

namespace kaon {

template <class T>
std::unique_ptr<Objective<T>> make_objective(Deck const& deck) {
  offer_shipped();
  auto const kind = deck.text("objective.kind");
  auto const& all = objective_table<T>();
  auto const entry = std::find_if(all.begin(), all.end(), [&](auto const& e) { return e.traits.name == kind; });
  if (entry == all.end())
    throw UsageError(deck.origin() + ": objective.kind = " + kind +
                     " is for C++ programs that pass kaon::Training an objective of theirs "
                     "(examples/own-objective); this program has none");
  return entry->make(deck.objective_values(), deck.integer("optimizer.workers"),
                     static_cast<std::uint64_t>(deck.integer64("run.seed")));
}
template std::unique_ptr<Objective<float>> make_objective<float>(Deck const&);
template std::unique_ptr<Objective<double>> make_objective<double>(Deck const&);

OptimizerSettings optimizer_settings(Deck const& deck) {
  OptimizerSettings o;
  o.workers = deck.integer("optimizer.workers");
  o.start = deck.text("optimizer.start") == "dense" ? Start::dense : Start::zero;
  o.nesterov = deck.flag("optimizer.nesterov");
  o.adaptive = make_schedule(deck).adaptive();
  o.clip = deck.real("optimizer.clip");
  o.seed = static_cast<std::uint64_t>(deck.integer64("run.seed"));
  o.local.steps = static_cast<std::uint64_t>(deck.integer64("optimizer.local_steps"));
  o.local.total = static_cast<std::uint64_t>(deck.integer64("run.steps"));
  o.local.form = deck.text("optimizer.local_form") == "update" ? LocalForm::update : LocalForm::gradient;
  auto const outer = deck.text("optimizer.outer");
  o.local.outer = outer == "average" ? Outer::average : outer == "nesterov" ? Outer::nesterov : Outer::lmo;
  o.local.rate = deck.real("optimizer.outer_rate");
  o.local.momentum = deck.real("optimizer.outer_momentum");
  o.local.walk = deck.real("optimizer.local_rate");
  if (o.local.on() && o.local.form == LocalForm::gradient && o.local.outer != Outer::average)
    throw UsageError(deck.where("optimizer.outer") + ": optimizer.outer = " + outer +
                     " is for optimizer.local_form = update; with gradient a round is a step of the server's oracle");
  o.fan_out = deck.integer("exchange.fan_out");
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

// What the group says to its method alone.
std::map<std::string, std::string> own_keys(Deck const& deck, std::string const& group) {
  std::map<std::string, std::string> own;
  auto const texts = deck.values("group." + group).texts();
  for (auto const& key : method_traits(texts.at("method")).keys) own[key.name] = texts.at(key.name);
  return own;
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
    s.method = deck.text(key("method"));
    s.own = own_keys(deck, name);
    if (deck.counts(key("radius"))) s.radius = deck.real(key("radius"));
    if (deck.text("optimizer.schedule") == "adaptive" && !deck.counts(key("norm")))
      throw UsageError(deck.where("optimizer.schedule") +
                       ": optimizer.schedule = adaptive makes the radius a factor of a dual norm, and " + key("method") + " = " +
                       s.method + " has no norm; choose another schedule, or another method for the group");
    if (deck.text("optimizer.form") == "constrained" && !deck.counts(key("norm")))
      throw UsageError(deck.where(key("method")) + ": " + key("method") + " = " + s.method +
                       ": optimizer.form = constrained is a step towards a point of a ball, and this method has none; a run of "
                       "form = free may have it");
    s.beta = deck.real(key("beta"));
    s.decay = deck.text("optimizer.form") == "constrained" ? 1.0 : deck.real(key("weight_decay"));
    s.uplink = deck.text(key("uplink"));
    s.downlink = deck.text(key("downlink"));
    plan.settings.push_back(std::move(s));
    plan.group.push_back(name);
    plan.group_index.push_back(static_cast<std::size_t>(g));
  }
  return plan;
}

}  // namespace kaon
