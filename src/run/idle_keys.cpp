#include <kaon/run/idle_keys.hpp>

#include <kaon/lmo/lmo.hpp>

namespace kaon {

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
  for (auto const& rule : rules)
    if (rule.changed && !rule.used) lines.push_back(key(rule.name) + " has no effect: it needs " + rule.needs);
  return lines;
}

}  // namespace kaon
