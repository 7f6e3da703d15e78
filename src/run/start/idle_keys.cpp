#include <kaon/run/start/idle_keys.hpp>

#include <kaon/deck/schema.hpp>
#include <kaon/lmo/lmo.hpp>

#include <algorithm>

namespace kaon {

namespace {

// Whether the deck says something else of it than the default.
bool changed(Deck const& deck, Key const& key, std::string const& name) {
  if (deck.has_default(name)) return false;
  if (!key.inherits.empty() && key.fallback.empty()) return true;
  if (key.type == KeyType::integer) return deck.integer64(name) != std::stoll(std::string(key.fallback));
  if (key.type == KeyType::real) return deck.real(name) != std::stod(std::string(key.fallback));
  if (key.type == KeyType::boolean) return deck.flag(name) != (key.fallback == "yes");
  if (key.type == KeyType::list) return !deck.list(name).empty();
  return deck.text(name) != key.fallback;
}

bool changed(Deck const& deck, Key const& key) {
  return changed(deck, key, std::string(key.section) + "." + std::string(key.name));
}
bool changed(Deck const& deck, char const* name) { return changed(deck, *find_key(name)); }

}  // namespace

std::vector<std::string> idle_keys(Deck const& deck, std::string const& group) {
  auto const key = [&](char const* name) { return "group." + group + "." + name; };
  auto const norm = deck.text(key("norm")), route = deck.text(key("polar"));
  bool const spectral = norm == "spectral";
  bool const polynomial = spectral && route != "exact" && route != "qdwh";
  bool const generated = route == "polar-express" || route == "minimax";
  bool const within = deck.real(key("polar_tolerance")) > 0;
  LmoSettings const defaults;
  PolarSettings const& polar = defaults.polar;
  struct Rule {
    char const* name;
    bool changed, used;
    char const* needs;
  };
  char const* const needs_polynomial = "norm = spectral with a polynomial for polar";
  Rule const rules[] = {
      {"schatten_p", deck.real(key("schatten_p")) != defaults.p, norm == "schatten", "norm = schatten"},
      {"ky_fan_k", deck.integer(key("ky_fan_k")) != defaults.k, norm == "ky-fan" || norm == "dual-ky-fan",
       "norm = ky-fan or dual-ky-fan"},
      {"polar", route != polar.set, spectral, "norm = spectral"},
      {"polar_steps", deck.integer(key("polar_steps")) != polar.steps, polynomial && !within,
       within && polynomial ? "polar_tolerance = 0" : needs_polynomial},
      {"polar_tolerance", within, polynomial, needs_polynomial},
      {"polar_lower", deck.real(key("polar_lower")) != polar.lower, polynomial && (generated || within),
       "norm = spectral with polar = polar-express or minimax, or a polar_tolerance"},
      {"polar_form", deck.text(key("polar_form")) != polar.form, polynomial, needs_polynomial},
      {"polar_scaling", deck.text(key("polar_scaling")) != polar.scaling, polynomial, needs_polynomial},
      {"polar_half", deck.flag(key("polar_half")) != polar.half, polynomial, needs_polynomial},
  };
  std::vector<std::string> lines;
  auto const method = deck.text(key("method"));
  for (auto const& k : schema()) {
    auto const name = key(std::string(k.name).c_str());
    if (k.section != "group" || means_something(k, method) || !changed(deck, k, name)) continue;
    lines.push_back(name + " has no effect: it needs " +
                    (k.method.empty() ? "another method than " + method : "method = " + std::string(k.method)));
  }
  if (method == "ef21-muon") {
    auto const feedback = deck.text(key("feedback"));
    if (feedback != "ef14" && changed(deck, *find_key(key("feedback_decay")), key("feedback_decay")))
      lines.push_back(key("feedback_decay") + " has no effect: it needs feedback = ef14");
    if (feedback != "ef21" && deck.text(key("uplink")) == "identity")
      lines.push_back(key("feedback") + " has no effect: it needs an uplink that drops something");
  }
  auto const means = [&](char const* name) { return means_something(*find_key(key(name)), method); };
  for (auto const& rule : rules)
    if (rule.changed && !rule.used && means(rule.name))
      lines.push_back(key(rule.name) + " has no effect: it needs " + rule.needs);
  return lines;
}

std::vector<std::string> idle_keys(Deck const& deck) {
  std::vector<std::string> lines;
  auto const say = [&](std::string const& key, std::string const& needs) {
    lines.push_back(key + " has no effect: it needs " + needs);
  };
  auto const kind = deck.text("objective.kind");
  for (auto const& key : schema()) {
    bool const of_gpt = key.section == "gpt" || key.section == "data";
    bool const idle = (of_gpt && kind == "least-squares") || (key.section == "least-squares" && kind == "gpt");
    if (idle && changed(deck, key))
      say(std::string(key.section) + "." + std::string(key.name),
          std::string("objective.kind = ") + (of_gpt ? "gpt" : "least-squares"));
  }
  auto const schedule = deck.text("optimizer.schedule");
  for (auto const* name : {"optimizer.constant_fraction", "optimizer.schedule_floor"})
    if (schedule != "linear" && schedule != "cosine" && changed(deck, name)) say(name, "optimizer.schedule = linear or cosine");
  auto const& groups = deck.groups();
  auto const every = [&](auto const& holds) { return std::all_of(groups.begin(), groups.end(), holds); };
  if (deck.flag("optimizer.nesterov") && every([&](auto const& g) { return deck.real("group." + g + ".beta") == 1; }))
    say("optimizer.nesterov", "a beta below 1");
  for (auto const* name : {"beta", "weight_decay"}) {
    auto const common = std::string("optimizer.") + name;
    if (changed(deck, common.c_str()) &&
        every([&](auto const& g) { return deck.where("group." + g + "." + name) != deck.where(common); }))
      say(common, std::string("a group without a ") + name + " of its own");
  }
  if (kind != "gpt") return lines;
  bool const file = !deck.text("data.validation").empty();
  if (file && changed(deck, "data.validation_fraction")) say("data.validation_fraction", "data.validation to be empty");
  if (!file && deck.real("data.validation_fraction") == 0)
    for (auto const* name : {"data.validation_batches", "run.validate_every"})
      if (changed(deck, name)) say(name, "a data.validation or a data.validation_fraction above 0");
  return lines;
}

}  // namespace kaon
