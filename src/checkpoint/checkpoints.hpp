#ifndef KAON_CHECKPOINT_CHECKPOINTS_HPP
#define KAON_CHECKPOINT_CHECKPOINTS_HPP

#include <kaon/checkpoint/info.hpp>
#include <kaon/checkpoint/retention.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/state/registry.hpp>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace kaon {

/// What reading found: the file, what it says of itself, and one line for every newer file that failed its checks.
struct Restored {
  std::string path;
  CheckpointInfo info;
  std::vector<std::string> warnings;
};

/// The checkpoints of one run: a folder of step-<8 digits>.h5 and the links `latest` and `best`. Every member function is
/// collective, and either returns the same on every rank or throws the same error on every rank. All of them talk over a
/// communicator of the object's own, so that a thread may be inside one of them while another thread uses MPI elsewhere; HDF5 is
/// for that one thread alone then.
class Checkpoints {
 public:
  /// Touches nothing: a look at a folder must not disturb the job that writes there.
  Checkpoints(Communicator const& comm, std::string folder, Retention const& retention);

  /// Makes the folder when it is missing and removes what a killed job left half-written (see removed()); the first save does it
  /// when nobody did. Throws IoError.
  void prepare();

  /// What rank 0 asks before a commit changes the folder; both may be empty.
  struct Guard {
    std::function<void()> may_write;                       ///< throws when another program has the folder
    std::function<bool(CheckpointInfo const&)> is_of_run;  ///< a file of another run is neither replaced nor retired
  };
  void set_guard(Guard guard) { guard_ = std::move(guard); }

  Communicator const& comm() const { return comm_; }
  std::string const& folder() const { return folder_; }
  /// Uncommitted files that prepare() deleted, for the log.
  std::vector<std::string> const& removed() const { return removed_; }
  /// Retired files that could not be deleted during the last save, for the log: the save itself is good.
  std::vector<std::string> const& complaints() const { return complaints_; }

  /// Throws the AgreedIoError of a save that finds no room for this state; touches nothing.
  void require_room(CheckpointInfo const& info, Registry const& registry) const;

  /// Writes, verifies and commits the state; returns the path. On failure the files of before are intact and `latest` points
  /// where it did: AgreedIoError (file system, space, the guard) or InputError (ranks disagree, parts do not cover a field,
  /// another run's file has this name). Provenance, version and the like are rank 0's; `created` is filled when empty. With
  /// `best` the link `best` comes to point at it too, in the same commit. What the retention lets go is deleted then, never what
  /// a link points at.
  std::string save(CheckpointInfo const& info, Registry const& registry, bool best = false);

  /// "latest": the committed files, the last committed one first, then older steps, then newer ones that a restart left behind;
  /// any other text: that one file (as given, or inside the folder). Throws InputError when there is none.
  std::vector<std::string> candidates(std::string const& which = "latest") const;
  /// The first of candidates(which), unopened.
  std::string resolve(std::string const& which) const;
  /// What one file says of itself; its seal is checked, its blocks are not.
  CheckpointInfo peek(std::string const& path) const;
  /// The first candidate whose seal is sound: where a run takes its deck from. Throws InputError naming each failure.
  Restored find(std::string const& which) const;
  /// Verifies every block, shape, type and name of the candidates in turn, and gives the first sound one to the registry, which
  /// is not touched before. Throws InputError when none is left, naming what is wrong with each.
  Restored load(std::string const& which, Registry const& registry) const;

 private:
  void commit(std::string const& part, std::string const& name, bool best);
  void retire(std::uint64_t step);
  bool is_foreign(std::string const& path) const;
  std::vector<std::uint64_t> by_age() const;

  Communicator comm_;
  std::string folder_;
  Retention retention_;
  Guard guard_;
  std::set<std::uint64_t> foreign_;  ///< steps whose files are of another run; told once
  bool prepared_ = false;
  std::vector<std::string> removed_;
  std::vector<std::string> complaints_;
};

}  // namespace kaon

#endif
