// What a run says of itself: the plan before it starts and the summary after it ends.
#include <kaon/run/progress.hpp>
#include <kaon/run/training.hpp>

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <map>

namespace kaon {

template <class T>
void Training<T>::print_plan() const {
  auto const& plan = optimizer_->exchange().plan();
  log_.line(objective_->describe());
  std::uint64_t parameters = 0;
  for (auto const& l : optimizer_->layers())
    parameters += static_cast<std::uint64_t>(l.rows) * static_cast<std::uint64_t>(l.cols);
  log_.line(
      fmt::format("{} parameters in {} layers; {} workers on {} ranks, topology sharded, owners balanced to {:.2f}x of the mean",
                  parameters, plan.layers(), plan.workers(), plan.ranks(), plan.imbalance()));
  for (int i = 0; i < plan.layers(); ++i) {
    auto const n = static_cast<std::size_t>(i);
    auto const& l = optimizer_->layers()[n];
    auto const& s = optimizer_->settings()[n];
    log_.line(fmt::format("  {:<14} {:>5} x {:<5} [group.{}] {} scale {} radius {:g}, up {}, down {}, owner rank {}", l.name,
                          l.rows, l.cols, plan_.group[n], s.lmo.norm, s.lmo.scale, s.radius, s.uplink, s.downlink,
                          plan.owner_of(i)));
  }
}

template <class T>
void Training<T>::write_summary(double validation, bool finished) const {
  Totals const t = now();
  auto const bytes = [](std::uint64_t b) { return format_bytes(static_cast<std::int64_t>(b)); };
  double const part = seconds_ > 0 ? 100 / seconds_ : 0;
  log_.line(fmt::format("{} at step {}; bytes up {} down {} (algorithmic), up {} down {} (wire); {:.1f} s in steps",
                        finished ? "finished" : "stopped", t.steps, bytes(t.bytes_up), bytes(t.bytes_down), bytes(t.wire_up),
                        bytes(t.wire_down), seconds_));
  log_.line(fmt::format(
      "time on rank 0: gradients {:.0f} %, uplink {:.0f} %, waiting for the slowest worker {:.0f} %, server {:.0f} %, downlink "
      "{:.0f} %",
      part * phases_.gradient, part * phases_.uplink, part * phases_.wait, part * phases_.server, part * phases_.downlink));
  log_.line("checkpoint " + last_path_ + ", metrics " + file("metrics.csv"));
  if (comm_.rank() != 0) return;
  std::ofstream out(file("summary.json"));
  out << fmt::format(
      "{{\n  \"finished\": {},\n  \"steps\": {},\n  \"samples\": {},\n  \"validation_loss\": {},\n  \"bytes_up\": {},\n  "
      "\"bytes_down\": {},\n"
      "  \"wire_up\": {},\n  \"wire_down\": {},\n  \"ranks\": {},\n  \"seconds_in_steps\": {:.3f},\n  \"checkpoint\": "
      "\"{}\"\n}}\n",
      finished, t.steps, t.samples, std::isnan(validation) ? "null" : fmt::format("{:.17g}", validation), t.bytes_up,
      t.bytes_down, t.wire_up, t.wire_down, comm_.size(), seconds_, last_path_);
  out.flush();
  if (!out) log_.warning("could not write " + file("summary.json"));
}

template void Training<float>::print_plan() const;
template void Training<double>::print_plan() const;
template void Training<float>::write_summary(double, bool) const;
template void Training<double>::write_summary(double, bool) const;

}  // namespace kaon
