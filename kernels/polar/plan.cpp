#include <kaon/polar/plan.hpp>

#include <kaon/core/error.hpp>
#include <kaon/polar/scaling.hpp>

#include <algorithm>
#include <limits>

namespace kaon {
namespace {

void require_known(std::string const& value, std::vector<std::string> const& known, char const* what) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  std::string list;
  for (auto const& name : known) list += (list.empty() ? "" : ", ") + name;
  throw UsageError(std::string("unknown polar ") + what + " '" + value + "'; known: " + list);
}

/// Segments by the rule of the header.
std::vector<bool> ruled_starts(std::vector<Triple> const& table, double lower, double epsilon) {
  double const bound = std::max(100 * epsilon, std::min(0.2 * worst_error(table, lower), 0.03));
  std::vector<bool> starts(table.size(), false);
  double noise = epsilon;
  for (std::size_t k = 0; k < table.size(); ++k) {
    starts[k] = k == 0 || noise > bound;
    if (starts[k]) noise = epsilon;
    noise *= table[k].a * table[k].a;
  }
  return starts;
}

std::vector<bool> given_starts(std::vector<int> const& restarts, std::size_t steps) {
  std::vector<bool> starts(steps, false);
  starts[0] = true;
  for (int const k : restarts) {
    if (k < 2 || static_cast<std::size_t>(k) > steps)
      throw UsageError("polar restarts: " + std::to_string(k) + " is not a step from 2 to " + std::to_string(steps));
    starts[static_cast<std::size_t>(k - 1)] = true;
  }
  return starts;
}

/// Sets flops and work for l×s matrices, l ≥ s, from the segments.
void count(PolarPlan& plan, bool spectral, double l, double s) {
  double const square_weight = plan.symmetric ? 1.1 : 1, commuting_weight = 1.4, half = plan.symmetric ? 1 : 2;
  double squares = 0, commuting = 0, full = 0;
  std::size_t const steps = plan.table.size();
  for (std::size_t k = 0; k < steps; ++k) {
    bool const ends = k + 1 == steps || plan.starts[k + 1];
    if (plan.starts[k]) squares += half * l * s * s;
    squares += half * s * s * s;
    if (!plan.starts[k]) commuting += s * s * s;
    if (ends) {
      full += 2 * l * s * s;
    } else {
      squares += s * s * s;
      commuting += s * s * s;
    }
  }
  if (spectral) squares += spectral_squarings * s * s * s;
  plan.flops = squares + commuting + full;
  plan.work = square_weight * squares + commuting_weight * commuting + full;
}

}  // namespace

std::vector<std::string> polar_forms() { return {"auto", "standard", "symmetric", "gram"}; }
std::vector<std::string> polar_scalings() { return {"frobenius", "spectral"}; }

PolarPlan make_polar_plan(PolarSettings const& settings, int rows, int cols, double epsilon) {
  require_known(settings.form, polar_forms(), "form");
  require_known(settings.scaling, polar_scalings(), "scaling");
  if (settings.tolerance < 0) throw UsageError("polar tolerance must not be negative");
  PolarPlan plan;
  plan.table = settings.tolerance > 0 ? polar_coefficients_within(settings.set, settings.tolerance, settings.lower)
                                      : polar_coefficients(settings.set, settings.steps, settings.lower);
  auto const steps = plan.table.size();
  if (settings.restarts && settings.form != "gram") throw UsageError("polar restarts belong to form gram, not " + settings.form);
  if (settings.half && settings.form != "auto" && settings.form != "standard")
    throw UsageError("polar half has form standard only, not " + settings.form);
  double const l = std::max(rows, cols), s = std::min(rows, cols);
  bool const spectral = settings.scaling == "spectral";
  if (settings.half || settings.form == "standard") {
    plan.symmetric = false;
    plan.starts.assign(steps, true);
    count(plan, spectral, l, s);
    return plan;
  }
  PolarPlan gram = plan;
  plan.starts.assign(steps, true);
  gram.starts = settings.restarts ? given_starts(*settings.restarts, steps) : ruled_starts(plan.table, settings.lower, epsilon);
  count(plan, spectral, l, s);
  count(gram, spectral, l, s);
  if (settings.form == "gram" || (settings.form == "auto" && gram.work < plan.work)) return gram;
  return plan;
}

double polar_cost(PolarSettings const& settings, int rows, int cols) {
  double const r = std::min(rows, cols);
  double const l = std::max(rows, cols);
  return settings.exact ? 20 * r * r * l : make_polar_plan(settings, rows, cols, std::numeric_limits<float>::epsilon()).flops;
}

}  // namespace kaon
