#ifndef KAON_RUN_START_RUN_FOLDER_HPP
#define KAON_RUN_START_RUN_FOLDER_HPP

#include <kaon/checkpoint/checkpoints.hpp>
#include <kaon/checkpoint/identity.hpp>
#include <kaon/checkpoint/lock.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/run/records/log.hpp>
#include <kaon/run/start/banner.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace kaon {

/// How a run stands to what its folder holds.
enum class Beginning {
  afresh,        ///< the folder holds no run
  goes_on,       ///< from the folder's own newest checkpoint
  goes_back,     ///< from an older one: a branch; what is newer is set aside
  from_another,  ///< from a file elsewhere, in a folder that holds no run
};

/// Whose run a folder is: the lock that keeps other jobs out, run.json, and what is set aside. Rank 0 acts; member functions are
/// collective unless they say that they are local, and throw the same error on every rank.
class RunFolder {
 public:
  RunFolder(Communicator const& comm, std::string directory, Build const& build, Log const& log);

  /// From now on hold() and begin() look and touch nothing, and say and refuse what they would.
  void look_only() { looks_only_ = true; }
  /// Takes the lock, and completes a going back that was cut off. `make`: the folder is made when it is missing; else a missing
  /// one is left alone. Throws IoError (in use, not writable, a file in its place, checkpoints behind a link that leads nowhere)
  /// and InputError (rows without any checkpoint).
  void hold(bool make);
  bool held() const { return held_; }
  /// Local. The lock goes.
  void release() { lock_.reset(), held_ = false; }
  /// Local, for rank 0: throws IoError when the lock was lost. Nothing may be written then.
  void require_held(bool look = false) const;

  /// Throws InputError unless the folder holds no run.
  void require_no_run() const;
  /// Whether a checkpoint is committed. Throws InputError where none is, but a run was to begin here from another one's file.
  bool begun() const;
  /// Throws InputError when the file is another run's, or lies elsewhere while the folder holds a run. `newest`: it was not
  /// named, but found as the newest one.
  Beginning judge(Restored const& from, bool newest) const;

  /// Writes down whose run this is from now on, and sets aside what a going back leaves behind. `from`: none when it begins
  /// afresh; `weights`: where its starting point was taken from then.
  void begin(Beginning how, std::optional<Restored> const& from, std::optional<Parent> const& weights = {});
  /// Local, of rank 0: after begin().
  RunIdentity const& identity() const { return identity_; }
  /// Local, of rank 0: what Checkpoints asks before it changes the folder.
  Checkpoints::Guard guard() const;

 private:
  void lock(bool make);
  void look(bool make) const;
  void require_usable() const;
  void finish_aside();
  RunIdentity fresh() const;
  RunIdentity adopted(CheckpointInfo const& info) const;
  void go_back(RunIdentity const& before, Restored const& from);
  std::string checkpoints() const { return directory_ + "/checkpoints"; }

  Communicator const& comm_;
  std::string directory_;
  Build build_;
  Log const& log_;
  bool looks_only_ = false, held_ = false;
  std::unique_ptr<RunLock> lock_;  // rank 0's
  RunIdentity identity_;           // rank 0's
};

}  // namespace kaon

#endif
