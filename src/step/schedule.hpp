#ifndef KAON_STEP_SCHEDULE_HPP
#define KAON_STEP_SCHEDULE_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace kaon {

/// How a run's radii change. Steps are counted from 0 to `steps` − 1.
struct ScheduleSettings {
  std::string kind = "constant";  ///< a name of Schedule
  std::uint64_t steps = 0;        ///< of the whole run
  double constant_fraction = 0;   ///< linear, cosine: of the steps, at 1 before the fall; in [0, 1]
  double floor = 0;               ///< linear, cosine: where the fall ends; in [0, 1]
  std::uint64_t warmup = 0;       ///< steps in which the multiplier grows to that of the schedule
};

/// The factor by which a step multiplies every layer's radius, with K = steps + 1:
///
/// - constant: 1.
/// - linear: 1 for the first `constant_fraction` of the steps, then linearly down, reaching `floor` after the last.
/// - cosine: the same with half a wave of a cosine.
/// - inverse-sqrt: K^{-1/2}, constant over the run (EF21-Muon, deterministic theorems).
/// - inverse-three-quarters: K^{-3/4} (EF21-Muon, stochastic theorems).
/// - adaptive: 1; the radius is then a factor of ‖G‖_*.
///
/// Step k < `warmup` takes (k + 1)/(warmup + 1) of it. What falls begins to fall when the warm-up is over, at the earliest.
class Schedule {
 public:
  using Multiplier = std::function<double(std::uint64_t step)>;

  /// Throws UsageError for a name that is none of these, a fraction or floor outside [0, 1], or a warm-up that is as long as the
  /// run.
  explicit Schedule(ScheduleSettings const& settings);
  /// A function of the step alone, the same on every rank and after every restart; finite and not negative.
  /// With `adaptive` the radius is a factor of ‖G‖_*.
  explicit Schedule(Multiplier own, bool adaptive = false)
      : kind_(adaptive ? Kind::adaptive : Kind::constant), own_(std::move(own)) {}

  /// Throws UsageError where a function of the caller's gives something else than a finite number ≥ 0.
  double multiplier(std::uint64_t step) const;
  /// The largest multiplier of the run: in [0, steps) for a function of the caller's.
  double largest(std::uint64_t steps) const;
  bool adaptive() const { return kind_ == Kind::adaptive; }

 private:
  enum class Kind { constant, linear, cosine, inverse_sqrt, inverse_three_quarters, adaptive } kind_ = Kind::constant;
  double fall(double at) const;

  ScheduleSettings settings_;
  Multiplier own_;
};

}  // namespace kaon

#endif
