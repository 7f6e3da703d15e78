#include <kaon/clock/phase_now.hpp>
#include <kaon/clock/phases.hpp>

#include <Kokkos_Core.hpp>

#include <atomic>
#include <chrono>
#include <numeric>

namespace kaon {

namespace {
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
std::atomic<char const*> current{""};
}  // namespace

char const* phase_now() { return current.load(std::memory_order_relaxed); }

char const* phase_name(Phase phase) {
  static constexpr std::array<char const*, phase_count> names{
      "kaon::forward",  "kaon::backward",    "kaon::sum",       "kaon::compress", "kaon::send",
      "kaon::wait_sum", "kaon::wait_uplink", "kaon::aggregate", "kaon::lmo",      "kaon::wait_downlink",
      "kaon::follow",   "kaon::agree",       "kaon::save",      "kaon::validate",
  };
  return names[static_cast<std::size_t>(phase)];
}

PhaseTimes& PhaseTimes::operator+=(PhaseTimes const& o) {
  for (std::size_t p = 0; p < phase_count; ++p) seconds[p] += o.seconds[p];
  return *this;
}

PhaseTimes PhaseTimes::operator-(PhaseTimes const& o) const {
  PhaseTimes out = *this;
  for (std::size_t p = 0; p < phase_count; ++p) out.seconds[p] -= o.seconds[p];
  return out;
}

double PhaseTimes::exposed() const {
  double sum = 0;
  for (auto const p : {Phase::send, Phase::wait_sum, Phase::wait_uplink, Phase::wait_downlink, Phase::agree}) sum += (*this)[p];
  return sum;
}

double PhaseTimes::total() const { return std::accumulate(seconds.begin(), seconds.end(), 0.0); }

void PhaseTimer::charge() {
  double const t = now();
  if (!stack_.empty()) times_[stack_.back()] += t - mark_;
  mark_ = t;
}

void PhaseTimer::enter(Phase phase) {
  charge();
  stack_.push_back(phase);
  current.store(phase_name(phase), std::memory_order_relaxed);
  Kokkos::Profiling::pushRegion(phase_name(phase));
}

void PhaseTimer::leave() {
  charge();
  stack_.pop_back();
  current.store(stack_.empty() ? "" : phase_name(stack_.back()), std::memory_order_relaxed);
  Kokkos::Profiling::popRegion();
}

void PhaseTimer::change(Phase phase) {
  leave();
  enter(phase);
}

}  // namespace kaon
