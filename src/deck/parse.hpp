#ifndef KAON_DECK_PARSE_HPP
#define KAON_DECK_PARSE_HPP

#include <string>
#include <vector>

namespace kaon {

/// One key = value of a deck, or one override.
struct DeckEntry {
  std::string key;  ///< with its section: "group.hidden.radius"
  std::string value;
  std::string origin;  ///< the file's name, or "command line"
};

struct ParsedDeck {
  std::vector<std::string> sections;  ///< as written, in order, each once
  std::vector<DeckEntry> entries;     ///< in order; overrides replace what the file says; no key twice
};

/// Syntax of Boost.Program_options' configuration files: [section], key = value, # comments. `overrides` are "section.key=value".
/// Throws UsageError naming `origin` for a line that is neither, and for a key that is given twice.
ParsedDeck parse_deck(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides);

}  // namespace kaon

#endif
