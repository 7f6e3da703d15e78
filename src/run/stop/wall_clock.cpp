#include <kaon/core/error.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace kaon {

namespace {

// A run of digits, at most 9 of them, so that no sum overflows.
bool whole(std::string const& text, std::int64_t& out) {
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) return false;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return true;
}

std::int64_t seconds_of(std::string text) {
  std::int64_t days = 0;
  auto const dash = text.find('-');
  if (dash != std::string::npos) {
    if (!whole(text.substr(0, dash), days)) return 0;
    text.erase(0, dash + 1);
  }
  std::vector<std::int64_t> fields;
  for (std::size_t at = 0; at <= text.size();) {
    auto const colon = std::min(text.find(':', at), text.size());
    std::int64_t v = 0;
    if (!whole(text.substr(at, colon - at), v)) return 0;
    if (!fields.empty() && v >= 60) return 0;
    fields.push_back(v);
    at = colon + 1;
  }
  if (fields.size() > 3 || (dash != std::string::npos && (fields.size() != 3 || fields[0] >= 24))) return 0;
  std::int64_t total = 0;
  for (auto const v : fields) total = total * 60 + v;
  return days * 86400 + total;
}

}  // namespace

double parse_duration(std::string const& text) {
  auto const seconds = seconds_of(text);
  if (seconds <= 0)
    throw UsageError(fmt::format("'{}' is no time limit; write hh:mm:ss, mm:ss, seconds or d-hh:mm:ss, more than zero", text));
  return static_cast<double>(seconds);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds > 1e12) return "?";
  auto const s = static_cast<std::int64_t>(std::llround(std::max(seconds, 0.0)));
  if (s >= 86400) return fmt::format("{}-{:02}:{:02}:{:02}", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

double steady_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

WallClock::WallClock(std::optional<double> limit, Now now)
    : now_(std::move(now)), limit_(limit), start_(now_()), mark_(start_), save_mark_(start_) {}

void WallClock::step_begins() {
  mark_ = now_();
  validated_ = 0;
  in_step_ = true;
}

double WallClock::step_ends() {
  double const took = now_() - mark_ - validated_;
  in_step_ = false;
  steps_[next_++ % recent_steps] = took;
  return took;
}

void WallClock::validation_ends() {
  double const took = now_() - validation_mark_;
  validated_ += took;
  longest_validation_ = std::max(longest_validation_, took);
}

double WallClock::save_ends() {
  double const took = now_() - save_mark_;
  count_save(took);
  return took;
}

double WallClock::remaining() const { return limit_ ? *limit_ - elapsed() : std::numeric_limits<double>::infinity(); }

double WallClock::longest_step() const { return *std::max_element(steps_.begin(), steps_.end()); }

double WallClock::margin() const {
  return safety * (longest_step() + longest_validation_ + saves_ * std::max(save_seconds(), least_save)) +
         (limit_ ? std::min(reserve, 0.1 * *limit_) : reserve);
}

bool WallClock::must_stop() const {
  if (!limit_) return false;
  double const done = in_step_ ? now_() - mark_ : 0;
  double const rest = in_step_ ? std::max(longest_step() - done, 0.0) + longest_validation_ : 0;
  return remaining() - rest <= margin() + safety * std::max(0.0, done - longest_step());
}

}  // namespace kaon
