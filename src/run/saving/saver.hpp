#ifndef KAON_RUN_SAVING_SAVER_HPP
#define KAON_RUN_SAVING_SAVER_HPP

#include <kaon/checkpoint/checkpoints.hpp>
#include <kaon/checkpoint/snapshot.hpp>
#include <kaon/run/records/log.hpp>
#include <kaon/run/saving/background.hpp>
#include <kaon/run/saving/save_policy.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>

namespace kaon {

/// Saves the state of a run: at once, or beside the training from a copy, one checkpoint at a time. Logs what it does, feeds
/// the clock and the policy with what it costs. Member functions are collective unless they say that they are local; an error
/// that all ranks share is thrown on all of them in the same call.
class Saver {
 public:
  struct Settings {
    bool beside = false;  ///< write periodic checkpoints beside the training; MPI must be MPI_THREAD_MULTIPLE
    bool go_on = false;   ///< a periodic checkpoint that the file system refuses is a warning
    /// Local: makes durable what must be so no later than a checkpoint. Called before each; errors end like the checkpoint's.
    std::function<void()> before = {};
  };
  /// What has become of a checkpoint since it was asked for.
  enum class Outcome { none, under_way, committed, failed };

  /// The references must outlive the object.
  Saver(Checkpoints& checkpoints, WallClock& clock, SavePolicy& policy, Log const& log, Settings const& settings);
  /// Waits for what is under way, so that no checkpoint is lost when another error ends the run.
  ~Saver();

  /// A checkpoint that the run goes on after. Nothing may be under way: collect() first.
  Outcome save(CheckpointInfo const& info, Registry const& state, bool best);
  /// The last one: on disk when this returns, whatever the settings, else an error. Nothing may be under way.
  void save_last(CheckpointInfo const& info, Registry const& state, bool best);

  /// Local: this rank's part of what is under way is done. When all ranks say so, all call collect(). Throws what this rank
  /// cannot share with the others.
  bool written();
  /// Takes in what is under way, if anything: waits for it, logs it, throws its error. `for_another`: the next one is due.
  Outcome collect(bool for_another = false);
  bool busy() const { return thread_.busy(); }

  /// Step and path of the newest committed checkpoint.
  std::optional<std::uint64_t> step() const { return step_; }
  std::string const& path() const { return path_; }
  void resumed_from(std::uint64_t step, std::string const& path) { step_ = step, path_ = path; }
  /// What a save lasts, as far as is known.
  double save_seconds() const { return clock_.save_seconds(); }
  /// One line on the checkpoints written beside the training; empty without any.
  std::string account() const;

 private:
  void prepare();
  void save_now(Registry const& state, bool best);
  void save_beside(Registry const& state, bool best);
  void commit(Registry const& state, bool best);
  void committed(double seconds, char const* how);
  Outcome refused(std::exception const& e);
  void tell_next() const;

  Checkpoints& checkpoints_;
  WallClock& clock_;
  SavePolicy& policy_;
  Log const& log_;
  Settings settings_;
  std::optional<std::uint64_t> step_;
  std::string path_;
  Snapshot copy_;
  CheckpointInfo info_;  ///< of the save at hand
  double begun_ = 0;
  double took_ = 0;           ///< the thread's, while it is under way
  std::string written_path_;  ///< likewise
  std::atomic<bool> alone_{false};
  int count_ = 0, waits_ = 0;
  double blocked_ = 0, wrote_ = 0;
  std::uint64_t copied_ = 0;
  Background thread_;  // the last member: it ends before what it works on
};

}  // namespace kaon

#endif
