#include <kaon/run/start/idle_keys.hpp>

#include <kaon/deck/schema.hpp>
#include <kaon/lmo/lmo.hpp>
#include <kaon/method/registry.hpp>
#include <kaon/objective/registry.hpp>

#include <algorithm>

namespace kaon {

namespace {

std::string either(std::vector<std::string> const& names) {
  std::string all;
  for (auto const& name : names) all += (all.empty() ? "" : " or ") + name;
  return all;
}

std::string line_of(std::string const& key, std::string const& needs) { return key + " has no effect: it needs " + needs; }

// Keys that the group's method has no use for.
std::vector<std::string> of_another_method(Deck const& deck, std::string const& group) {
  std::vector<std::string> lines;
  for (auto const& key : schema()) {
    auto const name = "group." + group + "." + key.name;
    if (key.section == "group" && !deck.counts(name) && deck.changed(name))
      lines.push_back(line_of(name, "method = " + either(key.used_by)));
  }
  return lines;
}

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
  auto lines = of_another_method(deck, group);
  bool const local = deck.integer64("optimizer.local_steps") > 0;
  auto const& traits = method_traits(deck.text(key("method")));
  for (auto const& name : traits.rounds_only)
    if (!local && deck.changed(key(name.c_str())))
      lines.push_back(line_of(key(name.c_str()), "optimizer.local_steps above 0 with method = " + traits.name));
  if (reads_key(traits, "feedback", local)) {
    auto const feedback = deck.text(key("feedback"));
    if (feedback != "ef14" && deck.changed(key("feedback_decay")))
      lines.push_back(line_of(key("feedback_decay"), "feedback = ef14"));
    if (feedback != "ef21" && deck.text(key("uplink")) == "identity")
      lines.push_back(line_of(key("feedback"), "an uplink that drops something"));
  }
  for (auto const& rule : rules)
    if (deck.counts(key(rule.name)) && rule.changed && !rule.used) lines.push_back(line_of(key(rule.name), rule.needs));
  return lines;
}

std::vector<std::string> idle_keys(Deck const& deck) {
  std::vector<std::string> lines;
  auto const say = [&](std::string const& key, std::string const& needs) { lines.push_back(line_of(key, needs)); };
  auto const kind = deck.text("objective.kind");
  for (auto const& key : schema()) {
    auto const name = key.section + "." + key.name;
    if (key.section == "group" || kind == "own") continue;  // a program's own objective may read any key
    if (!deck.counts(name) && deck.changed(name)) say(name, "objective.kind = " + either(key.used_by));
  }
  auto const schedule = deck.text("optimizer.schedule");
  for (auto const* name : {"optimizer.constant_fraction", "optimizer.schedule_floor"})
    if (schedule != "linear" && schedule != "cosine" && deck.changed(name)) say(name, "optimizer.schedule = linear or cosine");
  bool const local = deck.integer64("optimizer.local_steps") > 0;
  bool const update = deck.text("optimizer.local_form") == "update";
  for (auto const* name : {"local_form", "local_rate", "outer", "outer_rate", "outer_momentum"})
    if (auto const key = std::string("optimizer.") + name; !local && deck.changed(key)) say(key, "optimizer.local_steps above 0");
  if (local && update && deck.changed("optimizer.local_rate")) say("optimizer.local_rate", "optimizer.local_form = gradient");
  if (local && !update)
    for (auto const* key : {"optimizer.outer_rate", "optimizer.outer_momentum"})
      if (deck.changed(key)) say(key, "optimizer.local_form = update");
  if (local && update && deck.text("optimizer.outer") != "nesterov" && deck.changed("optimizer.outer_momentum"))
    say("optimizer.outer_momentum", "optimizer.outer = nesterov");
  auto const& groups = deck.groups();
  auto const every = [&](auto const& holds) { return std::all_of(groups.begin(), groups.end(), holds); };
  auto const momentum = [&](std::string const& g) { return deck.counts("group." + g + ".beta"); };
  bool const none = std::none_of(groups.begin(), groups.end(), momentum);
  for (auto const* name : {"optimizer.start", "optimizer.nesterov"})
    if (none && deck.changed(name)) say(name, "a group whose method has a beta");
  if (!none && deck.flag("optimizer.nesterov") &&
      every([&](auto const& g) { return !momentum(g) || deck.real("group." + g + ".beta") == 1; }))
    say("optimizer.nesterov", "a beta below 1");
  for (auto const* name : {"beta", "weight_decay"}) {
    auto const common = std::string("optimizer.") + name;
    auto const unread = [&](std::string const& g) {
      auto const own = "group." + g + "." + name;
      return !deck.counts(own) || deck.where(own) != deck.where(common);
    };
    if (deck.changed(common) && every(unread)) say(common, std::string("a group without a ") + name + " of its own");
  }
  if (auto const* objective = find_objective(kind); objective && objective->idle)
    for (auto const& idle : objective->idle(deck.objective_values()))
      if (deck.changed(idle.key)) say(idle.key, idle.needs);
  return lines;
}

}  // namespace kaon
