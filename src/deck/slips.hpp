#ifndef KAON_DECK_SLIPS_HPP
#define KAON_DECK_SLIPS_HPP

#include <kaon/keys/key.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace kaon {

/// Without blanks at both ends.
std::string_view trimmed(std::string_view text);

/// Without the quotes, double or single, around the whole of it. Throws UsageError for a quote at the start that is not closed at
/// the end, and for quotes inside of these.
std::string_view unquoted(std::string_view text);

/// The words between blanks.
std::vector<std::string> as_words(std::string_view text);

/// Throws UsageError, naming the cure, where the words or elements of a value hold what its writer cannot have meant: what looks
/// like a comment, an odd character, an element in single quotes, in a path also ~ or a variable, which nothing expands.
void refuse_slips(Key const& key, std::vector<std::string> const& parts);

}  // namespace kaon

#endif
