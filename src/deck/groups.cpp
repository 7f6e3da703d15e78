#include <kaon/core/error.hpp>
#include <kaon/deck/groups.hpp>

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

namespace kaon {

bool glob_matches(std::string const& pattern, std::string const& name) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; }

GroupAssignment assign_groups(Deck const& deck, std::vector<std::string> const& layers) {
  auto const& names = deck.groups();
  std::vector<std::vector<std::string>> patterns;
  for (auto const& name : names) patterns.push_back(deck.list("group." + name + ".layers"));
  GroupAssignment out;
  for (auto const& layer : layers) {
    auto const at = std::find_if(patterns.begin(), patterns.end(), [&](std::vector<std::string> const& group) {
      return std::any_of(group.begin(), group.end(), [&](std::string const& p) { return glob_matches(p, layer); });
    });
    if (at == patterns.end())
      throw UsageError(
          fmt::format("{}: no group's layers match layer {}; add it to a group, or end with a group of layers = *. Layers: {}",
                      deck.origin(), layer, fmt::join(layers, ", ")));
    out.group.push_back(static_cast<int>(at - patterns.begin()));
  }
  for (std::size_t g = 0; g < names.size(); ++g) {
    if (std::find(out.group.begin(), out.group.end(), static_cast<int>(g)) == out.group.end()) {
      out.idle.push_back(names[g]);
      continue;
    }
    for (auto const& p : patterns[g])
      if (std::none_of(layers.begin(), layers.end(), [&](std::string const& layer) { return glob_matches(p, layer); }))
        out.unmatched.emplace_back(names[g], p);
  }
  return out;
}

}  // namespace kaon
