#ifndef KAON_RUN_START_SAME_PROBLEM_HPP
#define KAON_RUN_START_SAME_PROBLEM_HPP

#include <kaon/mpi/communicator.hpp>
#include <kaon/run/records/log.hpp>
#include <kaon/state/contents.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kaon {

/// Sees to it that all ranks train on the same contents, those of the checkpoint, from the start to the end. Each copy is hashed
/// once on each host, and the ranks there that opened it share its blocks; two ranks of one host may have opened different ones.
/// All member functions are collective and throw the same error on every rank; without contents they do nothing.
class SameProblem {
 public:
  /// The references and `contents` (or nullptr) must outlive the object.
  SameProblem(Communicator const& comm, Log const& log, Contents* contents);

  /// Hashes everything and compares the ranks. Throws InputError naming two hosts and their files where they differ, and as
  /// Contents::hash does.
  void settle();
  /// Before a restart from the checkpoint at `path`: where it has another fingerprint, that of earlier versions is found
  /// together.
  void meet(std::string const& path);
  /// After it: what it could not check.
  void report() const;
  /// Nothing has been written to the files since the start, or the contents are the same still. Throws InputError otherwise;
  /// `newest` is the checkpoint that remains. Cheap while nothing has changed.
  void confirm(std::string const& newest);

 private:
  std::vector<std::uint64_t> hash_together() const;
  Communicator sharers() const;
  [[noreturn]] void refuse(std::vector<std::uint64_t> const& hashes, std::vector<std::int64_t> const& found, int odd) const;

  Communicator const& comm_;
  Log const& log_;
  Contents* contents_;
  bool warned_ = false;
};

}  // namespace kaon

#endif
