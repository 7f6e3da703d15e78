#ifndef KAON_CHECKPOINT_OLDER_HPP
#define KAON_CHECKPOINT_OLDER_HPP

#include <kaon/state/registry.hpp>

#include <cstdint>
#include <string>

/// What files of versions 1 and 2 do not say: there a path alone said what a field is, and there was one method.
namespace kaon::older {

inline constexpr char const* method = "ef21-muon";

struct Known {
  std::string path;  ///< in version 3
  Resize resize = Resize::refused;
  std::string of;  ///< in version 3
};
/// The field of this path in a file whose deck has this objective.kind. A path that says nothing is the same in version 3.
Known as_now(std::string const& path, std::string const& objective = {});

/// The folder of the model W in files of this version: "/model/W/".
std::string model(std::uint64_t version);

}  // namespace kaon::older

#endif
