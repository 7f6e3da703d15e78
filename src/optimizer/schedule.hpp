#ifndef KAON_OPTIMIZER_SCHEDULE_HPP
#define KAON_OPTIMIZER_SCHEDULE_HPP

#include <cstdint>
#include <string>

namespace kaon {

/// The factor by which a step multiplies every layer's radius. K = steps + 1 below.
///   constant                  1
///   linear                    1 for the first `constant_fraction` of the steps, then linearly down, reaching 0 after the last
///   inverse-sqrt              K^{-1/2}  (EF21-Muon, deterministic theorems: constant over the run)
///   inverse-three-quarters    K^{-3/4}  (EF21-Muon, stochastic theorems)
///   adaptive                  1; the radius is then a factor of ‖G‖_*
class Schedule {
 public:
  /// Throws UsageError for a name that is none of these or a fraction outside [0, 1].
  Schedule(std::string const& kind, std::uint64_t steps, double constant_fraction);
  double multiplier(std::uint64_t step) const;
  bool adaptive() const { return kind_ == Kind::adaptive; }

 private:
  enum class Kind { constant, linear, inverse_sqrt, inverse_three_quarters, adaptive } kind_;
  std::uint64_t steps_;
  double constant_fraction_;
};

}  // namespace kaon

#endif
