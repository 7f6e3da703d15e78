#ifndef KAON_APPS_CKPT_COMMANDS_HPP
#define KAON_APPS_CKPT_COMMANDS_HPP

#include <string>
#include <vector>

namespace kaon::ckpt {

/// Each command prints to standard output and returns the program's exit code; errors are thrown.
int show(std::string const& path);
/// Goes through all files even when one fails; 65 when any did.
int verify(std::vector<std::string> const& paths);
/// 0 when the states are the same to the bit, 1 when they differ.
int diff(std::string const& a, std::string const& b);
/// Writes W of every layer to one HDF5 file (/W/<layer>) or, with `npy`, to <out>/<layer>.npy.
int extract(std::string const& path, std::string const& out, bool npy);

}  // namespace kaon::ckpt

#endif
