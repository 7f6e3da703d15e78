#include <kaon/optimizer/schedule.hpp>

#include <kaon/core/error.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {

Schedule::Schedule(std::string const& kind, std::uint64_t steps, double constant_fraction)
    : steps_(steps), constant_fraction_(constant_fraction) {
  if (kind == "constant")
    kind_ = Kind::constant;
  else if (kind == "linear")
    kind_ = Kind::linear;
  else if (kind == "inverse-sqrt")
    kind_ = Kind::inverse_sqrt;
  else if (kind == "inverse-three-quarters")
    kind_ = Kind::inverse_three_quarters;
  else if (kind == "adaptive")
    kind_ = Kind::adaptive;
  else
    throw UsageError("unknown schedule '" + kind + "'; known: constant, linear, inverse-sqrt, inverse-three-quarters, adaptive");
  if (!(constant_fraction >= 0 && constant_fraction <= 1)) throw UsageError("the constant fraction of a schedule lies in [0, 1]");
}

double Schedule::multiplier(std::uint64_t step) const {
  double const horizon = static_cast<double>(steps_) + 1;
  switch (kind_) {
    case Kind::linear: {
      double const turn = constant_fraction_ * static_cast<double>(steps_);
      double const at = static_cast<double>(step);
      if (at < turn || steps_ == 0) return 1;
      return std::max(0.0, (static_cast<double>(steps_) - at) / std::max(1.0, static_cast<double>(steps_) - turn));
    }
    case Kind::inverse_sqrt:
      return std::pow(horizon, -0.5);
    case Kind::inverse_three_quarters:
      return std::pow(horizon, -0.75);
    case Kind::constant:
    case Kind::adaptive:
      break;
  }
  return 1;
}

}  // namespace kaon
