#ifndef KAON_DECK_SCHEMA_HPP
#define KAON_DECK_SCHEMA_HPP

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace kaon {

enum class KeyType { integer, real, boolean, choice, text, list };

/// Everything there is to know of one key of a deck. The table of these is the single truth: parsing, checks, --help, the
/// reference in docs/deck.md and the rules of a restart are all read from it.
struct Key {
  std::string_view section;  ///< "group" stands for every [group.NAME]
  std::string_view name;
  KeyType type = KeyType::text;
  std::string_view fallback = "";  ///< the default, as text; "" is "none": allowed when the key is not `required`
  bool required = false;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   ///< `low` itself is not allowed
  bool high_open = false;  ///< `high` itself is not allowed
  std::vector<std::string_view> choices = {};
  bool may_change = false;          ///< on a restart
  bool path = false;                ///< names files or a folder
  std::string_view needed_by = "";  ///< the objective.kind that requires the key
  std::string_view method = "";     ///< of a group: the method whose own key it is
  std::string_view inherits = "";   ///< the full key whose value an empty one takes
  std::string_view help = "";       ///< one line, with the unit
};

/// All keys, in the order of the reference; the keys of a group last.
std::vector<Key> const& schema();

/// Sections in order: run, objective, …, group.
std::vector<std::string_view> const& sections();

/// "section.name", as looked up by Deck; for a key of a group "group.NAME.name" is reduced to its schema key. nullptr: unknown.
Key const* find_key(std::string_view full);

/// One more value that a choice key takes: a name of a program's own. Before a deck is read. Throws std::invalid_argument where
/// there is no such key, or it takes the value already.
void offer_choice(std::string_view section, std::string_view name, std::string const& value);

/// What a deck has to know of a method: the choices of the key `method` of a group.
struct DeckMethod {
  std::string name;
  std::vector<std::string> unused;  ///< keys of a group that mean nothing to it
};
/// All of them, the default first.
std::vector<DeckMethod> const& deck_methods();
/// Whether a group's key means something to a method: not one that it leaves unused, nor another's own.
bool means_something(Key const& key, std::string_view method);

/// One more method, and the keys of its own, whose `section` and `method` are set here. Before a deck is read. Throws
/// std::invalid_argument where the method, or a key of a group with one of the names, is there already.
void offer_method_keys(DeckMethod const& method, std::vector<Key> own);

/// "an integer >= 1", "yes or no", "one of float, double": what a value of this key may be.
std::string allowed(Key const& key);

}  // namespace kaon

#endif
