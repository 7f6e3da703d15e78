#ifndef KAON_CHECKPOINT_IDENTITY_HPP
#define KAON_CHECKPOINT_IDENTITY_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kaon {

/// Where a run comes from when it did not begin at the start.
struct Parent {
  std::string run;  ///< empty when the file is older than identities
  std::uint64_t step = 0;
  std::string file;
  std::string how;  ///< "branch": gone back in its own folder; "checkpoint": begun from another run's file; "weights":
                    ///< begun at step 0 from its weights alone; "resized"
};

/// A going back that is decided: checkpoints and rows after `step` belong into `folder`, below the run folder.
struct Aside {
  std::string folder;
  std::uint64_t step = 0;
  std::string before;  ///< run.json as it was
};

/// Whose run a folder holds: the file run.json. Made at the start of a run, and for an older folder at its next start.
struct RunIdentity {
  static constexpr char const* file = "run.json";
  struct Earlier {
    std::string run;
    std::uint64_t until = 0;
  };

  std::string run;  ///< 16 hexadecimal digits, drawn at random
  std::optional<Parent> parent;
  std::vector<Earlier> earlier;  ///< runs that this one branched off here, whose checkpoints up to a step are its past
  std::string created;           ///< UTC
  std::string version, git_hash;
  std::optional<Aside> aside;  ///< begun and not yet done

  /// A checkpoint of this step that says it is of run `of` belongs to the folder. One that says nothing is older than
  /// identities and belongs where it lies.
  bool owns(std::string const& of, std::uint64_t step) const;
  /// "run 0123456789abcdef, a branch of … at step 4"
  std::string describe() const;
};

/// Sixteen hexadecimal digits from the system's random numbers. Throws IoError when it has none.
std::string new_run_id();

/// The run folder's run.json; nothing where there is none. Throws InputError for a file that is none, naming the cure.
std::optional<RunIdentity> read_identity(std::string const& directory);
std::string to_json(RunIdentity const& identity);
/// Takes the place of run.json, atomically. Throws IoError.
void write_identity(std::string const& directory, RunIdentity const& identity);

/// Attributes of /provenance: `run`, and `parent` as "<run> at step <k>".
void to_provenance(RunIdentity const& identity, std::map<std::string, std::string>& provenance);
/// The attribute `run`; empty in files older than identities.
std::string run_in(std::map<std::string, std::string> const& provenance);

}  // namespace kaon

#endif
