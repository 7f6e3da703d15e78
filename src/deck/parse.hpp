#ifndef KAON_DECK_PARSE_HPP
#define KAON_DECK_PARSE_HPP

#include <string>
#include <vector>

namespace kaon {

/// One key = value of a deck, or one override.
struct DeckEntry {
  std::string key;  ///< with its section: "group.hidden.radius"
  std::string value;
  std::string origin;  ///< where it stands: "my.deck:12", or "command line"
  bool on_command_line = false;
};

/// One [section], or the section of an override.
struct DeckSection {
  std::string name;
  std::string origin;  ///< where it stands first
};

struct ParsedDeck {
  std::vector<DeckSection> sections;  ///< in order, each once
  std::vector<DeckEntry> entries;     ///< in order; overrides replace what the file says; no key twice
};

/// Syntax of a deck: lines [section], key = value and # comments (a # starts one anywhere in a line); the key = value lines
/// behind a [section] belong to it. `overrides` are "section.key=value". Throws UsageError naming `origin` and the line for a
/// text that plain_text refuses, a line that is none of these, an odd character in a section or key, and a key that is given
/// twice.
ParsedDeck parse_deck(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides);

}  // namespace kaon

#endif
