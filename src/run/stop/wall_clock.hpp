#ifndef KAON_RUN_STOP_WALL_CLOCK_HPP
#define KAON_RUN_STOP_WALL_CLOCK_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace kaon {

/// Seconds of "d-hh:mm:ss", "hh:mm:ss", "mm:ss" or "ss" (whole numbers; a field below the first one is less than 60, hours below
/// days less than 24). Throws UsageError naming the text for anything else and for zero.
double parse_duration(std::string const& text);

/// "1-02:03:04", "2:03:04" or "3:04": the way back, rounded to whole seconds.
std::string format_duration(double seconds);

/// Seconds of a clock that never goes back.
double steady_seconds();

/// Watches the time limit. The margin that it keeps is measured: the longest of the recent steps and the longest save so far.
/// A step is all that happens between step_begins() and step_ends(); a validation inside it is measured apart, because it may be
/// rarer than the recent steps are many. must_stop() is asked in the middle of a step, and its answer holds for the end of that
/// step; or between steps, after a save.
class WallClock {
 public:
  using Now = std::function<double()>;

  static constexpr std::size_t recent_steps = 64;  ///< steps whose longest counts
  static constexpr double safety = 1.5;            ///< on both
  static constexpr double least_save = 1.0;        ///< seconds: shorter ones say nothing of a disk or a host that turns busy
  static constexpr double reserve = 2.0;           ///< seconds for leaving in good order; at most a tenth of the limit

  /// `limit` in seconds from now on; none: must_stop() is always false.
  explicit WallClock(std::optional<double> limit, Now now = steady_seconds);

  void step_begins();
  double step_ends();  ///< the seconds since step_begins(), which it records
  void validation_begins() { validation_mark_ = now_(); }
  void validation_ends();
  void save_begins() { save_mark_ = now_(); }
  double save_ends();  ///< likewise for saves

  /// Seconds of a save that was made beside the steps.
  void count_save(double seconds) { longest_save_ = std::max(longest_save_, seconds); }
  /// Saves that a stop may have to wait for, one after the other.
  void expect_saves(int count) { saves_ = count; }
  /// What a save is taken to last until one has been measured (seconds; bytes of state over an assumed bandwidth, say).
  void expect_save(double seconds) { expected_save_ = seconds; }

  /// What the margin takes a save to last: the longest so far, or what was expected.
  double save_seconds() const { return longest_save_ >= 0 ? longest_save_ : expected_save_; }

  double elapsed() const { return now_() - start_; }
  double remaining() const;  ///< seconds to the limit; infinity without one
  double margin() const;     ///< safety · (longest recent step + longest validation + expected saves · longest save) + reserve
  /// True when after this step and one more there might not be the time to save: what remained at the beginning of this step,
  /// less the longest recent step (or this one, if it is longer already), is within the margin.
  bool must_stop() const;

 private:
  Now now_;
  std::optional<double> limit_;
  double start_, mark_, save_mark_, validation_mark_ = 0;
  bool in_step_ = false;
  double expected_save_ = 1.0;
  int saves_ = 1;
  double longest_save_ = -1.0;  // none yet
  double longest_validation_ = 0;
  double validated_ = 0;  // seconds of this step
  double longest_step() const;
  std::array<double, recent_steps> steps_{};
  std::size_t next_ = 0;
};

}  // namespace kaon

#endif
