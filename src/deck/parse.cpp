#include <kaon/core/error.hpp>
#include <kaon/deck/parse.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <sstream>

namespace kaon {

namespace {

namespace po = boost::program_options;

constexpr char const* blanks = " \t\r\n";

std::string trim(std::string const& s) {
  auto const first = s.find_first_not_of(blanks);
  return first == std::string::npos ? std::string() : s.substr(first, s.find_last_not_of(blanks) - first + 1);
}

DeckEntry* find(std::vector<DeckEntry>& entries, std::string const& key) {
  auto const at = std::find_if(entries.begin(), entries.end(), [&](DeckEntry const& e) { return e.key == key; });
  return at == entries.end() ? nullptr : &*at;
}

void add_section(ParsedDeck& deck, std::string const& name) {
  if (std::find(deck.sections.begin(), deck.sections.end(), name) == deck.sections.end()) deck.sections.push_back(name);
}

// Boost hands back keys only: a section without keys would go unseen, and with it a typing error in its name.
void collect_sections(ParsedDeck& deck, std::string const& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = trim(line.substr(0, line.find('#')));
    if (line.size() >= 2 && line.front() == '[' && line.back() == ']') add_section(deck, line.substr(1, line.size() - 2));
  }
}

void add_override(ParsedDeck& deck, std::vector<std::string>& seen, std::string const& text) {
  auto const equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError(fmt::format("command line: '{}' is not of the form section.key=value", text));
  DeckEntry entry{trim(text.substr(0, equals)), trim(text.substr(equals + 1)), "command line"};
  if (std::find(seen.begin(), seen.end(), entry.key) != seen.end())
    throw UsageError(fmt::format("command line: {} is given twice; keep one", entry.key));
  seen.push_back(entry.key);
  if (auto const dot = entry.key.rfind('.'); dot != std::string::npos) add_section(deck, entry.key.substr(0, dot));
  if (auto* old = find(deck.entries, entry.key))
    *old = entry;
  else
    deck.entries.push_back(entry);
}

}  // namespace

ParsedDeck parse_deck(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides) {
  ParsedDeck deck;
  collect_sections(deck, text);
  std::istringstream stream(text);
  po::options_description const none;
  try {
    for (auto const& option : po::parse_config_file(stream, none, true).options) {
      auto const& key = option.string_key;
      if (find(deck.entries, key)) throw UsageError(fmt::format("{}: {} is given twice; keep one", origin, key));
      deck.entries.push_back({key, option.value.empty() ? std::string() : option.value[0], origin});
    }
  } catch (po::error const& e) {
    throw UsageError(fmt::format("{}: {}; a deck has lines [section], key = value and # comments", origin, e.what()));
  }
  std::vector<std::string> seen;
  for (auto const& o : overrides) add_override(deck, seen, o);
  return deck;
}

}  // namespace kaon
