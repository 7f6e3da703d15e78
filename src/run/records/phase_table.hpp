#ifndef KAON_RUN_RECORDS_PHASE_TABLE_HPP
#define KAON_RUN_RECORDS_PHASE_TABLE_HPP

#include <kaon/clock/phases.hpp>
#include <kaon/mpi/communicator.hpp>

#include <string>
#include <utility>
#include <vector>

namespace kaon {

/// Seconds by phase over all ranks.
struct PhaseSummary {
  PhaseTimes mean, longest;  ///< over the ranks, phase by phase
  double exposed = 0;        ///< mean over the ranks of PhaseTimes::exposed()
  double other = 0;  ///< mean over the ranks of what is neither forward, backward, oracle, compressor, save nor validation
};

/// Collective.
PhaseSummary gather_phases(PhaseTimes const& mine, Communicator const& comm);

/// A title and one line for each phase that took time: mean and longest seconds, and the mean's share of `seconds_in_steps`; the
/// last line is the exchange's exposed time.
std::vector<std::string> phase_table(PhaseSummary const& phases, double seconds_in_steps);

/// phase_name() without the library's prefix: "forward", ….
std::string short_name(Phase phase);

}  // namespace kaon

#endif
