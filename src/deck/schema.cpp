#include <kaon/deck/schema.hpp>
#include <kaon/deck/table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace kaon {

DeckTable& deck_table() {
  static DeckTable table{deck_keys(), {}, {}};
  return table;
}

Key* DeckTable::find(std::string_view section, std::string_view name) {
  auto const at = std::find_if(keys.begin(), keys.end(), [&](Key const& k) { return k.section == section && k.name == name; });
  return at == keys.end() ? nullptr : &*at;
}

std::vector<Key> const& schema() { return deck_table().keys; }

std::vector<std::string> sections() {
  std::vector<std::string> found;
  for (auto const& key : schema())
    if (found.empty() || found.back() != key.section) found.push_back(key.section);
  return found;
}

Key const* find_key(std::string_view full) {
  auto const dot = full.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  auto section = full.substr(0, dot);
  auto const name = full.substr(dot + 1);
  constexpr std::string_view prefix = "group.";
  if (section == "group") return nullptr;  // a group has a name
  if (section.size() > prefix.size() && section.substr(0, prefix.size()) == prefix) section = "group";
  return deck_table().find(section, name);
}

std::string allowed(Key const& key) {
  switch (key.type) {
    case KeyType::boolean:
      return "yes or no";
    case KeyType::text:
      return "text";
    case KeyType::list:
      return "a list, separated by commas or blanks";
    case KeyType::choice:
      return fmt::format("one of {}", fmt::join(key.choices, ", "));
    case KeyType::integer:
    case KeyType::real:
      break;
  }
  std::string out = key.type == KeyType::integer ? "an integer" : "a number";
  bool const below = key.low > -std::numeric_limits<double>::infinity();
  bool const above = key.high < std::numeric_limits<double>::infinity() && key.high != most_int;
  if (below) out += fmt::format(" {} {}", key.low_open ? ">" : ">=", key.low);
  if (above) out += fmt::format("{} {} {}", below ? " and" : "", key.high_open ? "<" : "<=", key.high);
  return out;
}

}  // namespace kaon
