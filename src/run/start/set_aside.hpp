#ifndef KAON_RUN_START_SET_ASIDE_HPP
#define KAON_RUN_START_SET_ASIDE_HPP

#include <kaon/checkpoint/identity.hpp>

#include <cstddef>
#include <string>

namespace kaon {

/// The files of rows in a run folder.
inline constexpr char const* row_files[] = {"metrics.csv", "layers.csv", "groups.csv", "validation.csv"};

/// A folder below the run folder that is not there yet: "set-aside/<UTC>-after-step-<k>".
std::string name_aside(std::string const& directory, std::uint64_t step);

/// Does what `aside` says: checkpoints after its step move into its folder, which becomes a run folder of the run that was, with
/// run.json, summary.json and a copy of all rows; `latest` points at its step. The rows of the run itself are cut when it goes
/// on. May be cut off anywhere and done again. Returns how many checkpoints lie there. For one rank. Throws IoError.
std::size_t set_aside(std::string const& directory, Aside const& aside);

}  // namespace kaon

#endif
