#ifndef KAON_RUN_RECORDS_RUN_SUMMARY_HPP
#define KAON_RUN_RECORDS_RUN_SUMMARY_HPP

#include <kaon/checkpoint/identity.hpp>
#include <kaon/exchange/count.hpp>
#include <kaon/run/records/phase_table.hpp>
#include <kaon/run/records/totals.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kaon {

/// What the starts of a run took together up to some moment. Of those before this one: by the summary.json that the last of them
/// left, which has what a start that was killed had taken when its newest checkpoint was committed.
struct EarlierStarts {
  std::int64_t starts = 0;
  double seconds_in_steps = 0;
  std::map<std::string, double> phases;  ///< mean over the ranks, "exposed" among them
  std::string trouble;                   ///< why nothing could be read of a file that is there; else empty
};
/// Where there is no file: none. Throws nothing.
EarlierStarts earlier_starts(std::string const& path);
/// With the times of the start at hand, which is not counted as one of the earlier ones.
EarlierStarts with_this_start(EarlierStarts earlier, double seconds_in_steps, PhaseSummary const& phases);

/// What summary.json says from the beginning of a start on, whatever becomes of it.
struct RunState {
  std::string state;             ///< running, stopped, finished or failed
  std::optional<int> exit_code;  ///< at an orderly end only
  std::string run;
  std::optional<Parent> parent;
  std::uint64_t steps = 0, steps_asked = 0;
  std::string checkpoint;  ///< path; empty: none yet
};

/// All that summary.json says of a start that has stopped or finished.
struct RunSummary {
  struct Group {
    std::string name, method, norm, scale, uplink, downlink;  ///< empty: the method does not read it
    double radius = 0;
    ByteCount bytes;
  };
  struct Layer {
    std::string name, group;
    std::int64_t rows = 0, cols = 0;
  };

  RunState state;
  Totals totals;
  double validation = 0;  ///< NaN: none
  int ranks = 1, workers = 1;
  std::string precision, topology, messages;
  std::string deck_hash;              ///< of deck.resolved
  bool log_complete = true;           ///< false when lines of the log could not be written
  std::vector<std::string> warnings;  ///< of this start, in order
  double seconds_in_steps = 0;
  std::uint64_t samples_here = 0;  ///< of this start
  PhaseSummary phases;             ///< of this start
  EarlierStarts earlier;
  std::vector<Group> groups;  ///< in the deck's order
  std::vector<Layer> layers;  ///< in the order of their numbers
};

/// summary.json: one object; every double parses back to the same bits, NaN is null, names are made UTF-8 (see files::utf8).
std::string to_json(RunSummary const& summary);
/// The same of a start that is under way or has failed: its state, and what all starts have taken so far, itself among them.
std::string to_json(RunState const& state, EarlierStarts const& taken);

}  // namespace kaon

#endif
