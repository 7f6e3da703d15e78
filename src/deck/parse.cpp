#include <kaon/core/error.hpp>
#include <kaon/deck/characters.hpp>
#include <kaon/deck/parse.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace kaon {

namespace {

constexpr char const* blanks = " \t\r";

std::string trim(std::string const& s) {
  auto const first = s.find_first_not_of(blanks);
  return first == std::string::npos ? std::string() : s.substr(first, s.find_last_not_of(blanks) - first + 1);
}

DeckEntry* find(std::vector<DeckEntry>& entries, std::string const& key) {
  auto const at = std::find_if(entries.begin(), entries.end(), [&](DeckEntry const& e) { return e.key == key; });
  return at == entries.end() ? nullptr : &*at;
}

void add_section(ParsedDeck& deck, std::string const& name, std::string const& origin) {
  if (std::none_of(deck.sections.begin(), deck.sections.end(), [&](DeckSection const& s) { return s.name == name; }))
    deck.sections.push_back({name, origin});
}

// The name of a group is free, but for what nobody sees.
void refuse_odd(std::string const& text, std::string const& origin) {
  auto const odd = text.rfind("group.", 0) == 0 ? odd_space(text) : odd_character(text);
  if (odd.kind != OddCharacter::Kind::none)
    throw UsageError(fmt::format("{}: '{}' holds {}; type it anew", origin, text, odd.name));
}

[[noreturn]] void no_syntax(std::string const& line, std::string const& origin) {
  bool const comment = line[0] == ';' || line.compare(0, 2, "//") == 0;
  throw UsageError(fmt::format("{}: '{}' is no line of a deck: these are [section], key = value and # comments{}", origin, line,
                               comment ? "; a comment starts with #" : ""));
}

struct Reader {
  ParsedDeck& deck;
  std::string const& origin;
  std::string section = {};

  void read(std::string const& whole, long number) {
    auto const at = fmt::format("{}:{}", origin, number);
    auto const line = trim(whole.substr(0, whole.find('#')));
    if (line.empty()) return;
    if (line.front() == '[' && line.back() == ']') {
      section = trim(line.substr(1, line.size() - 2));
      refuse_odd(section, at);
      return add_section(deck, section, at);
    }
    auto const equals = line.find('=');
    auto const name = trim(line.substr(0, std::min(equals, line.size())));
    refuse_odd(name, at);
    if (equals == std::string::npos || name.empty() || line[0] == ';' || line.compare(0, 2, "//") == 0) no_syntax(line, at);
    auto const key = section.empty() ? name : section + "." + name;
    if (auto const* first = find(deck.entries, key))
      throw UsageError(fmt::format("{}: {} is given twice, first in {}; keep one", at, key, first->origin));
    if (auto const dot = name.rfind('.'); dot != std::string::npos)  // a section of its own: unseen, its keys would do nothing
      add_section(deck, key.substr(0, key.rfind('.')), at);
    deck.entries.push_back({key, trim(line.substr(equals + 1)), at});
  }
};

void add_override(ParsedDeck& deck, std::vector<std::string>& seen, std::string const& text) {
  auto const equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError(fmt::format("command line: '{}' is not of the form section.key=value", text));
  DeckEntry entry{trim(text.substr(0, equals)), trim(text.substr(equals + 1)), "command line", true};
  refuse_odd(entry.key, entry.origin);
  if (std::find(seen.begin(), seen.end(), entry.key) != seen.end())
    throw UsageError(fmt::format("command line: {} is given twice; keep one", entry.key));
  seen.push_back(entry.key);
  if (auto const dot = entry.key.rfind('.'); dot != std::string::npos) add_section(deck, entry.key.substr(0, dot), entry.origin);
  if (auto* old = find(deck.entries, entry.key))
    *old = entry;
  else
    deck.entries.push_back(entry);
}

}  // namespace

ParsedDeck parse_deck(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides) {
  ParsedDeck deck;
  std::istringstream lines(plain_text(text, origin));
  Reader reader{deck, origin};
  long number = 0;
  for (std::string line; std::getline(lines, line);) reader.read(line, ++number);
  std::vector<std::string> seen;
  for (auto const& o : overrides) add_override(deck, seen, o);
  return deck;
}

}  // namespace kaon
