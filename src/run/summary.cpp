// What a run says of itself: the plan before it starts and the summary after it ends.
#include <kaon/run/phase_table.hpp>
#include <kaon/run/progress.hpp>
#include <kaon/run/training.hpp>

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <map>

namespace kaon {

namespace {

std::string placement_line(Plan const& plan) {
  std::string text = fmt::format("topology {}", name_of(plan.topology()));
  if (plan.topology() == Topology::sharded) text += fmt::format(", owners balanced to {:.2f}x of the mean", plan.imbalance());
  text += fmt::format("; {} messages a worker and step", plan.bundles().size());
  if (int const groups = plan.groups(); groups > 0) {
    text += fmt::format("; {} workers shared by groups of ranks ({} micro-batches each)", groups, plan.micro_batches());
    if (int const split = plan.split_groups(); split > 0)
      text += fmt::format(", {} of them across nodes: their gradients cross the network uncompressed", split);
  }
  return text;
}

std::string groups_json(std::vector<std::string> const& names, std::vector<ByteCount> const& counts) {
  std::string text = "  \"groups\": {";
  for (std::size_t g = 0; g < counts.size(); ++g)
    text += fmt::format(
        "{}\"{}\": {{\"bytes_up\": {}, \"bytes_down\": {}, \"wire_up\": {}, \"wire_down\": {}, \"wire_sum\": {}}}",
        g == 0 ? "" : ", ", names[g], counts[g].up, counts[g].down, counts[g].wire_up, counts[g].wire_down, counts[g].wire_sum);
  return text + "},\n";
}

}  // namespace

template <class T>
void Training<T>::print_plan() const {
  auto const& plan = optimizer_->exchange().plan();
  log_.line(objective_->describe());
  std::uint64_t parameters = 0;
  for (auto const& l : optimizer_->layers())
    parameters += static_cast<std::uint64_t>(l.rows) * static_cast<std::uint64_t>(l.cols);
  log_.line(
      fmt::format("{} parameters in {} layers; {} workers on {} ranks", parameters, plan.layers(), plan.workers(), plan.ranks()));
  log_.line(placement_line(plan));
  for (int i = 0; i < plan.layers(); ++i) {
    auto const n = static_cast<std::size_t>(i);
    auto const& l = optimizer_->layers()[n];
    auto const& s = optimizer_->settings()[n];
    log_.line(fmt::format("  {:<14} {:>5} x {:<5} [group.{}] {} scale {} radius {:g}, up {}, down {}, owner rank {}, message {}",
                          l.name, l.rows, l.cols, plan_.group[n], s.lmo.norm, s.lmo.scale, s.radius, s.uplink, s.downlink,
                          plan.owner_of(i), plan.bundle_of(i)));
  }
}

template <class T>
void Training<T>::write_summary(double validation, bool finished) const {
  Totals const t = now();
  auto const bytes = [](std::uint64_t b) { return format_bytes(static_cast<std::int64_t>(b)); };
  log_.line(fmt::format("{} at step {}; bytes up {} down {} (algorithmic), up {} down {}{} (wire); {:.1f} s in steps",
                        finished ? "finished" : "stopped", t.steps, bytes(t.bytes_up), bytes(t.bytes_down), bytes(t.wire_up),
                        bytes(t.wire_down), t.wire_sum > 0 ? " inside groups " + bytes(t.wire_sum) : "", seconds_));
  auto const phases = gather_phases(optimizer_->timer().times(), comm_);
  for (auto const& line : phase_table(phases, seconds_)) log_.line(line);
  log_.line("checkpoint " + saver_->path() + ", metrics " + file("metrics.csv"));
  if (comm_.rank() != 0) return;
  std::ofstream out(file("summary.json"));
  out << fmt::format(
      "{{\n  \"finished\": {},\n  \"steps\": {},\n  \"samples\": {},\n  \"validation_loss\": {},\n  \"bytes_up\": {},\n  "
      "\"bytes_down\": {},\n"
      "  \"wire_up\": {},\n  \"wire_down\": {},\n  \"wire_sum\": {},\n  \"ranks\": {},\n  \"topology\": \"{}\",\n  \"messages\": "
      "\"{}\",\n  "
      "\"seconds_in_steps\": {:.3f},\n{}{}  \"checkpoint\": \"{}\"\n}}\n",
      finished, t.steps, t.samples, std::isnan(validation) ? "null" : fmt::format("{:.17g}", validation), t.bytes_up,
      t.bytes_down, t.wire_up, t.wire_down, t.wire_sum, comm_.size(), name_of(optimizer_->exchange().plan().topology()),
      optimizer_->exchange().memory() == MessageMemory::device ? "device" : "host", seconds_, phases_json(phases),
      groups_json(deck_.groups(), t.groups), saver_->path());
  out.flush();
  if (!out) log_.warning("could not write " + file("summary.json"));
}

template void Training<float>::print_plan() const;
template void Training<double>::print_plan() const;
template void Training<float>::write_summary(double, bool) const;
template void Training<double>::write_summary(double, bool) const;

}  // namespace kaon
