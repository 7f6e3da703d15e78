#ifndef KAON_RUN_STOP_STOP_RULES_HPP
#define KAON_RUN_STOP_STOP_RULES_HPP

#include <kaon/mpi/communicator.hpp>
#include <kaon/run/records/log.hpp>
#include <kaon/run/stop/signals.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace kaon {

/// What all ranks do after a step; the same on every rank.
struct Decision {
  bool save = false;
  bool stop = false;     ///< implies save
  bool due = false;      ///< a checkpoint, because its time has come
  bool written = false;  ///< on every rank: what it writes beside the training is done
  std::string reason;    ///< "signal USR1", "file stop", …; "" when neither save nor stop
};

/// One decision of all ranks from what each of them saw: a signal on any rank, the wall clock of any rank, the files `stop` and
/// `save` in the run folder and the time of the next checkpoint (looked at by rank 0).
class StopRules {
 public:
  /// The references must outlive the object.
  StopRules(Communicator const& ranks, Signals& signals, WallClock const& clock, Log const& log, std::string run_folder);

  /// Questions that cast() asks: of rank 0, whether a checkpoint is due; of every rank, whether what it writes beside the
  /// training is done.
  void ask(std::function<bool()> due, std::function<bool()> written);

  /// What one rank brings to the sum that all ranks make once a step: how many see each reason. Takes the pending signals.
  static constexpr std::size_t votes = 10;
  void cast(std::span<double> votes_of_this_rank);
  /// The decision of the summed votes. Reasons to stop outweigh reasons to save, and stopping saves as well.
  Decision tally(std::span<double const> votes_of_all) const;
  /// Both, with a sum of its own. Collective.
  Decision decide();

  /// Collective by habit, local in fact: to be called when the decision has been acted on (the checkpoint is committed). Rank 0
  /// removes the files that it saw; a file that cannot be removed is warned about. Until then a file keeps asking.
  void acted();

 private:
  Communicator const& ranks_;
  Signals& signals_;
  WallClock const& clock_;
  Log const& log_;
  std::string stop_file_, save_file_;
  std::function<bool()> due_, written_;
  bool saw_stop_file_ = false, saw_save_file_ = false;
};

}  // namespace kaon

#endif
