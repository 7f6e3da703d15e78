// What a run says of itself: the plan before it starts and the summary after it ends.
#include <kaon/core/error.hpp>
#include <kaon/files/part.hpp>
#include <kaon/method/registry.hpp>
#include <kaon/run/loop/training.hpp>
#include <kaon/run/records/phase_table.hpp>
#include <kaon/run/records/progress.hpp>
#include <kaon/run/stop/leave.hpp>

#include <fmt/format.h>

#include <algorithm>

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

std::vector<RunSummary::Group> groups_of(Deck const& deck, std::vector<ByteCount> const& counts) {
  std::vector<RunSummary::Group> groups;
  for (std::size_t g = 0; g < counts.size(); ++g) {
    auto const& name = deck.groups()[g];
    auto const key = [&](char const* k) { return "group." + name + "." + k; };
    bool const local = deck.integer64("optimizer.local_steps") > 0;
    auto const& traits = method_traits(deck.text(key("method")));
    auto const read = [&](char const* k) {
      return k == std::string_view("method") || reads_key(traits, k, local) ? deck.text(key(k)) : std::string();
    };
    groups.push_back({name, read("method"), read("norm"), read("scale"), read("uplink"), read("downlink"),
                      deck.real(key("radius")), counts[g]});
  }
  return groups;
}

std::string count_of(std::int64_t n, char const* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

// What a layer's method makes of its settings.
std::string settings_line(LayerSettings const& s, bool local) {
  auto const used = [&, &traits = method_traits(s.method)](char const* key) { return reads_key(traits, key, local); };
  std::string text = s.method == method_names().front() ? "" : s.method + (used("norm") ? " " : "");
  if (used("norm")) text += fmt::format("{} scale {}", s.lmo.norm, s.lmo.scale);
  text += fmt::format(" radius {:g}", s.radius);
  if (used("uplink")) text += fmt::format(", up {}, down {}", s.uplink, s.downlink);
  return text;
}

}  // namespace

template <class T>
void Training<T>::print_plan() const {
  auto const& plan = optimizer_->exchange().plan();
  log_.line(objective_->describe());
  std::uint64_t parameters = 0;
  for (auto const& l : optimizer_->layers())
    parameters += static_cast<std::uint64_t>(l.rows) * static_cast<std::uint64_t>(l.cols);
  log_.line(fmt::format("{} parameters in {}; {} on {}", parameters, count_of(plan.layers(), "layer"),
                        count_of(plan.workers(), "worker"), count_of(plan.ranks(), "rank")));
  log_.line(placement_line(plan));
  if (double const clip = deck_.real("optimizer.clip"); clip > 0)
    log_.line(
        fmt::format("gradients are clipped: each worker's own to norm {:g} over all layers; they are held until its last "
                    "layer is there ({} of memory at most)",
                    clip, format_bytes(static_cast<std::int64_t>(parameters * sizeof(T)))));
  for (int i = 0; i < plan.layers(); ++i) {
    auto const n = static_cast<std::size_t>(i);
    auto const& l = optimizer_->layers()[n];
    auto const& s = optimizer_->settings()[n];
    log_.line(fmt::format("  {:<14} {:>5} x {:<5} [group.{}] {}, owner rank {}, message {}", l.name, l.rows, l.cols,
                          plan_.group[n], settings_line(s, optimizer_->local().on()), plan.owner_of(i), plan.bundle_of(i)));
  }
}

template <class T>
void Training<T>::write_summary(double validation, bool finished) const {
  Totals const t = now();
  auto const bytes = [](std::uint64_t b) { return format_bytes(static_cast<std::int64_t>(b)); };
  log_.line(fmt::format("{} at step {}; bytes up {} down {} (algorithmic), up {} down {}{} (wire); {:.1f} s in steps",
                        finished ? "finished" : "stopped", t.steps, bytes(t.bytes.up), bytes(t.bytes.down),
                        bytes(t.bytes.wire_up), bytes(t.bytes.wire_down),
                        t.bytes.wire_sum > 0 ? " inside groups " + bytes(t.bytes.wire_sum) : "", seconds_));
  auto const phases = gather_phases(optimizer_->timer().times(), comm_);
  for (auto const& line : phase_table(phases, seconds_)) log_.line(line);
  log_.line("checkpoint " + saver_->path() + ", metrics " + file("metrics.csv"));
  if (comm_.rank() != 0) return;
  folder_.require_held(true);
  RunSummary s;
  s.state = state_now(finished ? "finished" : "stopped", static_cast<int>(finished ? Exit::finished : Exit::stopped));
  s.totals = t;
  s.validation = validation;
  s.ranks = comm_.size();
  s.workers = optimizer_->exchange().plan().workers();
  s.precision = deck_.text("run.precision");
  s.topology = name_of(optimizer_->exchange().plan().topology());
  s.messages = optimizer_->exchange().memory() == MessageMemory::device ? "device" : "host";
  s.deck_hash = fmt::format("{:016x}", text_hash(deck_.resolved()));
  s.log_complete = log_.complete();
  s.warnings = log_.warnings();
  s.seconds_in_steps = seconds_;
  s.samples_here = t.samples - samples_before_;
  s.phases = phases;
  s.earlier = earlier_;
  s.groups = groups_of(deck_, t.groups);
  for (std::size_t i = 0; i < optimizer_->layers().size(); ++i) {
    auto const& l = optimizer_->layers()[i];
    s.layers.push_back({l.name, plan_.group[i], static_cast<std::int64_t>(l.rows), static_cast<std::int64_t>(l.cols)});
  }
  try {
    files::replace(file("summary.json"), to_json(s));
  } catch (IoError const& e) {
    log_.warning(e.what());
  }
}

template <class T>
RunState Training<T>::state_now(char const* state, std::optional<int> exit_code) const {
  auto const& identity = folder_.identity();
  auto const path = saver_ ? saver_->path() : restored_ ? restored_->path : std::string();
  return {
      state, exit_code, identity.run, identity.parent, totals_.steps, static_cast<std::uint64_t>(deck_.integer64("run.steps")),
      path};
}

/// Local, of rank 0: of a start that is under way, or ended by an error.
template <class T>
void Training<T>::write_state(char const* state, std::optional<int> exit_code) const {
  files::replace(file("summary.json"), to_json(state_now(state, exit_code), taken_));
}

/// After a commit: the times of a start that is killed later are not lost with it.
template <class T>
void Training<T>::count_times() {
  auto const mine = optimizer_->timer().times();
  InPhase const phase(optimizer_->timer(), Phase::save);
  auto const phases = gather_phases(mine, comm_);
  if (comm_.rank() != 0) return;
  folder_.require_held(true);
  taken_ = with_this_start(earlier_, seconds_, phases);
  try {
    write_state("running", {});
  } catch (IoError const& e) {
    log_.warning(e.what());
  }
}

template void Training<float>::print_plan() const;
template void Training<double>::print_plan() const;
template void Training<float>::write_summary(double, bool) const;
template void Training<double>::write_summary(double, bool) const;
template RunState Training<float>::state_now(char const*, std::optional<int>) const;
template RunState Training<double>::state_now(char const*, std::optional<int>) const;
template void Training<float>::write_state(char const*, std::optional<int>) const;
template void Training<double>::write_state(char const*, std::optional<int>) const;
template void Training<float>::count_times();
template void Training<double>::count_times();

}  // namespace kaon
