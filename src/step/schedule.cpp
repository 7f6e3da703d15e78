#include <kaon/step/schedule.hpp>

#include <kaon/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kaon {

Schedule::Schedule(ScheduleSettings const& s) : settings_(s) {
  if (s.kind == "constant")
    kind_ = Kind::constant;
  else if (s.kind == "linear")
    kind_ = Kind::linear;
  else if (s.kind == "cosine")
    kind_ = Kind::cosine;
  else if (s.kind == "inverse-sqrt")
    kind_ = Kind::inverse_sqrt;
  else if (s.kind == "inverse-three-quarters")
    kind_ = Kind::inverse_three_quarters;
  else if (s.kind == "adaptive")
    kind_ = Kind::adaptive;
  else
    throw UsageError("unknown schedule '" + s.kind +
                     "'; known: constant, linear, cosine, inverse-sqrt, inverse-three-quarters, adaptive");
  auto const in_unit = [](double x) { return x >= 0 && x <= 1; };
  if (!in_unit(s.constant_fraction)) throw UsageError("the constant fraction of a schedule lies in [0, 1]");
  if (!in_unit(s.floor)) throw UsageError("the floor of a schedule lies in [0, 1]");
  if (s.warmup > 0 && s.warmup >= s.steps)
    throw UsageError("a warm-up of " + std::to_string(s.warmup) + " steps leaves none of the run's " + std::to_string(s.steps));
}

// Of what is left of the schedule: 1 at the turn, 0 after the last step.
double Schedule::fall(double at) const {
  double const steps = static_cast<double>(settings_.steps);
  double const turn = std::max(settings_.constant_fraction * steps, static_cast<double>(settings_.warmup));
  if (at < turn || settings_.steps == 0) return 1;
  double const left = std::max(0.0, (steps - at) / std::max(1.0, steps - turn));
  return kind_ == Kind::linear ? left : 0.5 * (1 - std::cos(std::numbers::pi * left));
}

double Schedule::multiplier(std::uint64_t step) const {
  if (own_) {
    double const m = own_(step);
    if (!std::isfinite(m) || m < 0)
      throw UsageError("the schedule's function gives " + std::to_string(m) + " for step " + std::to_string(step) +
                       ", and must give a finite number that is not negative");
    return m;
  }
  double m = 1;
  switch (kind_) {
    case Kind::linear:
    case Kind::cosine:
      m = settings_.floor + (1 - settings_.floor) * fall(static_cast<double>(step));
      break;
    case Kind::inverse_sqrt:
      m = std::pow(static_cast<double>(settings_.steps) + 1, -0.5);
      break;
    case Kind::inverse_three_quarters:
      m = std::pow(static_cast<double>(settings_.steps) + 1, -0.75);
      break;
    case Kind::constant:
    case Kind::adaptive:
      break;
  }
  if (step < settings_.warmup) m *= (static_cast<double>(step) + 1) / (static_cast<double>(settings_.warmup) + 1);
  return m;
}

double Schedule::largest(std::uint64_t steps) const {
  if (!own_) return multiplier(settings_.warmup);  // it rises until then, and never again
  double most = 0;
  for (std::uint64_t k = 0; k < std::max<std::uint64_t>(1, steps); ++k) most = std::max(most, multiplier(k));
  return most;
}

}  // namespace kaon
