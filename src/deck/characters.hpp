#ifndef KAON_DECK_CHARACTERS_HPP
#define KAON_DECK_CHARACTERS_HPP

#include <string>
#include <string_view>

namespace kaon {

/// A character that looks like another one, or like none, and that nobody types into a deck knowingly.
struct OddCharacter {
  enum class Kind { none, space, quote, dash } kind = Kind::none;  ///< space: also what has no width, and control characters
  std::string name;                                                ///< "a no-break space (U+00A0)"
};

/// The first such character of a text in UTF-8, Latin-1 or Windows-1252; kind none where there is none. Dashes are passed over
/// where `dashes` is false, quotes that are not the text's first or last character where `inner_quotes` is false.
OddCharacter odd_character(std::string_view text, bool dashes = true, bool inner_quotes = true);

/// The first that is of the kind space.
OddCharacter odd_space(std::string_view text);

/// The text of a deck file as the parser takes it: without a byte order mark of UTF-8. Throws UsageError that names `origin`,
/// what it is and the cure for UTF-16 and UTF-32, NUL bytes, and carriage returns that no line feed follows.
std::string plain_text(std::string text, std::string const& origin);

}  // namespace kaon

#endif
