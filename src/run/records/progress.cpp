#include <kaon/run/records/progress.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace kaon {

std::string format_bytes(std::int64_t bytes) {
  constexpr char const* units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double v = static_cast<double>(bytes);
  int unit = 0;
  while (v >= 999.5 && unit < 6) {
    v /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", v, v < 9.995 ? 2 : v < 99.95 ? 1 : 0, units[unit]);
}

Progress::Progress(std::int64_t steps, int every, std::FILE* out, Style style)
    : out_(out),
      steps_(steps),
      every_(every),
      terminal_(style == Style::automatic ? isatty(fileno(out)) == 1 : style == Style::terminal) {}

std::string Progress::text(ProgressReport const& r) const {
  double const left = mean_seconds_ * static_cast<double>(std::max<std::int64_t>(steps_ - r.step, 0));
  return fmt::format("step {}/{}  loss {:.5g}  {:.3g} s/step  left {}  up {}  down {}", r.step, steps_, r.loss, mean_seconds_,
                     format_duration(left), format_bytes(r.bytes_up), format_bytes(r.bytes_down));
}

void Progress::step(ProgressReport const& r) {
  constexpr double weight_of_new = 0.1;
  constexpr double seconds_between_drawings = 0.1;
  mean_seconds_ = any_ ? mean_seconds_ + weight_of_new * (r.seconds - mean_seconds_) : r.seconds;
  since_drawn_ += r.seconds;
  bool const last = r.step >= steps_;
  bool const first = !any_;
  any_ = true;
  std::string line;
  if (terminal_) {
    if (!first && !last && since_drawn_ < seconds_between_drawings) return;
    line = "\r\033[K" + text(r);
    open_ = true;
    since_drawn_ = 0;
  } else {
    if (every_ == 0 || !(last || r.step % every_ == 0)) return;
    line = "kaon: " + text(r) + "\n";
  }
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
}

void Progress::finish() {
  if (open_) {
    std::fputc('\n', out_);
    std::fflush(out_);
  }
  open_ = false;
}

}  // namespace kaon
