#ifndef KAON_DECK_GROUPS_HPP
#define KAON_DECK_GROUPS_HPP

#include <kaon/deck/deck.hpp>

#include <string>
#include <utility>
#include <vector>

namespace kaon {

/// POSIX fnmatch(3) without flags: *, ?, [a-z]; a * crosses dots and slashes.
bool glob_matches(std::string const& pattern, std::string const& name);

struct GroupAssignment {
  std::vector<int> group;         ///< for each layer, the index into Deck::groups()
  std::vector<std::string> idle;  ///< names of groups that no layer joined: worth a warning
  /// Patterns of other groups that match no layer's name, each with its group's name before it: worth a warning.
  std::vector<std::pair<std::string, std::string>> unmatched;
};

/// Each layer joins the first group of the deck one of whose patterns matches its name.
/// Throws UsageError naming the layer that no group matches, and all layers.
GroupAssignment assign_groups(Deck const& deck, std::vector<std::string> const& layers);

}  // namespace kaon

#endif
