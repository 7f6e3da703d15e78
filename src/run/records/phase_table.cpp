#include <kaon/run/records/phase_table.hpp>

#include <fmt/format.h>

#include <cstring>

namespace kaon {

namespace {

bool works_for_the_model(Phase p) {
  return p == Phase::forward || p == Phase::backward || p == Phase::lmo || p == Phase::compress || p == Phase::save ||
         p == Phase::validate;
}

}  // namespace

std::string short_name(Phase phase) { return phase_name(phase) + std::strlen("kaon::"); }

PhaseSummary gather_phases(PhaseTimes const& mine, Communicator const& comm) {
  PhaseSummary s;
  std::vector<double> sums(mine.seconds.begin(), mine.seconds.end());
  comm.sum_each(sums);
  for (std::size_t p = 0; p < phase_count; ++p) {
    s.mean.seconds[p] = sums[p] / comm.size();
    s.longest.seconds[p] = comm.max(mine.seconds[p]);
    if (!works_for_the_model(static_cast<Phase>(p))) s.other += s.mean.seconds[p];
  }
  s.exposed = s.mean.exposed();
  return s;
}

std::vector<std::string> phase_table(PhaseSummary const& phases, double seconds_in_steps) {
  double const share = seconds_in_steps > 0 ? 100 / seconds_in_steps : 0;
  std::vector<std::string> lines{"phase            mean of ranks   longest   of the steps"};
  for (std::size_t p = 0; p < phase_count; ++p) {
    auto const phase = static_cast<Phase>(p);
    double const mean = phases.mean[phase], longest = phases.longest[phase];
    if (longest <= 0) continue;
    bool const outside = phase == Phase::save || phase == Phase::validate;
    lines.push_back(fmt::format("  {:<14} {:>10.3f} s {:>8.3f} s {}", short_name(phase), mean, longest,
                                outside ? "        -" : fmt::format("{:>8.1f} %", share * mean)));
  }
  lines.push_back(fmt::format("exchange exposed (sending and every wait): {:.3f} s, {:.1f} % of the steps", phases.exposed,
                              share * phases.exposed));
  return lines;
}

}  // namespace kaon
