#ifndef KAON_DECK_NEAREST_HPP
#define KAON_DECK_NEAREST_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kaon {

/// Levenshtein distance: the fewest single-character insertions, deletions and replacements that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `word` (the first of equals; "" when there is none). A dotted candidate whose part after the last dot
/// is `word`'s counts as one edit away, so that a key written in the wrong section, or in none, finds its home.
std::string nearest(std::string_view word, std::vector<std::string> const& candidates);

}  // namespace kaon

#endif
