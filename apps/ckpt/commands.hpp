#ifndef KAON_APPS_CKPT_COMMANDS_HPP
#define KAON_APPS_CKPT_COMMANDS_HPP

#include <cstdint>
#include <string>
#include <vector>

namespace kaon::ckpt {

/// Each command prints to standard output and returns the program's exit code; errors are thrown.
int show(std::string const& path);
/// Goes through all files even when one fails; 65 when any did.
int verify(std::vector<std::string> const& paths);
/// 0 when the states are the same to the bit, 1 when they differ.
int diff(std::string const& a, std::string const& b);
/// Writes W of every layer to one HDF5 file (/W/<layer>) or, with `npy`, to <out>/<layer>.npy. Of files that stand there: see
/// require_free().
int extract(std::string const& path, std::string const& out, bool npy, bool force);
/// Writes the datasets that any pattern matches (of no pattern: the model W), under their own names, to an .npz or an HDF5 file.
int export_arrays(std::string const& path, std::string const& out, std::vector<std::string> patterns, bool force);
/// Writes the state for another number of workers, a new algorithmic state; says on standard error what was done to what.
int resize(std::string const& path, std::int64_t workers, std::string const& out);

struct Pruning {
  std::int64_t keep = 0;   ///< newest sound files that stay
  std::int64_t every = 0;  ///< steps that are multiples of it stay too; 0: none
  bool dry_run = false;    ///< print only
  bool leftovers = false;  ///< delete unfinished files too
  bool drop_best = false;  ///< what the link `best` points at need not stay
};
/// Deletes old checkpoints of a run folder, whose lock it takes (not with dry_run). What is another run's stays.
int prune(std::string const& folder, Pruning const& how);

}  // namespace kaon::ckpt

#endif
