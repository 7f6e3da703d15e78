#ifndef KAON_RUN_RUN_SUMMARY_HPP
#define KAON_RUN_RUN_SUMMARY_HPP

#include <kaon/exchange/count.hpp>
#include <kaon/run/phase_table.hpp>
#include <kaon/run/totals.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kaon {

/// What the earlier starts of a run took together, by the summary.json that the last of them left.
struct EarlierStarts {
  std::int64_t starts = 0;
  double seconds_in_steps = 0;
  std::map<std::string, double> phases;  ///< mean over the ranks, "exposed" among them
  std::string trouble;                   ///< why nothing could be read of a file that is there; else empty
};
/// Where there is no file: none. Throws nothing.
EarlierStarts earlier_starts(std::string const& path);

/// All that summary.json says.
struct RunSummary {
  struct Group {
    std::string name, norm, scale, uplink, downlink;
    double radius = 0;
    ByteCount bytes;
  };
  struct Layer {
    std::string name, group;
    std::int64_t rows = 0, cols = 0;
  };

  bool finished = false;
  Totals totals;
  double validation = 0;  ///< NaN: none
  int ranks = 1, workers = 1;
  std::string precision, topology, messages;
  std::string deck_hash;  ///< of deck.resolved
  std::string checkpoint;
  bool log_complete = true;  ///< false when lines of the log could not be written
  double seconds_in_steps = 0;
  std::uint64_t samples_here = 0;  ///< of this start
  PhaseSummary phases;             ///< of this start
  EarlierStarts earlier;
  std::vector<Group> groups;  ///< in the deck's order
  std::vector<Layer> layers;  ///< in the order of their numbers
};

/// summary.json: one object; every double parses back to the same bits, NaN is null, names are made UTF-8 (see files::utf8).
std::string to_json(RunSummary const& summary);

}  // namespace kaon

#endif
