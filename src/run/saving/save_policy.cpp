#include <kaon/run/saving/save_policy.hpp>

#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kaon {

double optimal_interval(double cost, double mtbf) {
  require(cost >= 0 && mtbf > 0, "optimal_interval: a negative cost, or no time between failures");
  double const x = cost / (2 * mtbf);
  if (x >= 1) return mtbf;
  return std::sqrt(2 * cost * mtbf) * (1 + std::sqrt(x) / 3 + x / 9) - cost;
}

SavePolicy::SavePolicy(Settings const& settings, double expected_cost, WallClock::Now now)
    : settings_(settings), now_(std::move(now)), mark_(now_()), cost_(expected_cost) {
  require(settings.minutes >= 0 && settings.mtbf_hours >= 0, "SavePolicy: a negative time");
}

void SavePolicy::paid(double cost) {
  cost_ = cost;
  measured_ = true;
  mark_ = now_();
}

double SavePolicy::interval() const {
  double seconds = std::numeric_limits<double>::infinity();
  if (settings_.minutes > 0) seconds = 60 * settings_.minutes;
  if (settings_.mtbf_hours > 0)
    seconds = std::min(seconds, std::max(optimal_interval(cost_, 3600 * settings_.mtbf_hours), latency_));
  return seconds;
}

std::string SavePolicy::forecast() const {
  double const seconds = interval();
  if (!std::isfinite(seconds)) return {};
  double const rest = std::max(0.0, seconds - (now_() - mark_));
  return fmt::format("next checkpoint in about {:.{}f} s (save cost {:.3g} s{})", rest, rest < 10 ? 1 : 0, cost_,
                     measured_ ? "" : ", a guess until one is measured");
}

}  // namespace kaon
