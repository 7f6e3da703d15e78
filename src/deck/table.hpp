#ifndef KAON_DECK_TABLE_HPP
#define KAON_DECK_TABLE_HPP

#include <kaon/deck/offer.hpp>
#include <kaon/keys/key.hpp>

#include <string>
#include <vector>

namespace kaon {

/// An objective that decks name.
struct OfferedKind {
  std::string name;
  std::vector<std::string> sections;
  CheckTogether check;
};

/// What the deck knows: its own keys, and what has been offered. The one that schema() shows.
struct DeckTable {
  std::vector<Key> keys;
  std::vector<OfferedKind> kinds;
  std::vector<std::string> always;  ///< offered sections that every resolved deck has

  Key* find(std::string_view section, std::string_view name);
};
DeckTable& deck_table();

/// What sections, keys and choices may be called: letters, digits, _ and -.
bool is_offered_name(std::string const& text);

/// The deck's own keys: [run], [objective], [optimizer], [exchange], [checkpoint], [group.NAME].
std::vector<Key> deck_keys();

}  // namespace kaon

#endif
