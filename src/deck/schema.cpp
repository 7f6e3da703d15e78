#include <kaon/deck/schema.hpp>
#include <kaon/deck/table.hpp>

#include <algorithm>

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

}  // namespace kaon
