#include <kaon/deck/schema.hpp>
#include <kaon/deck/synonyms.hpp>

#include <algorithm>

namespace kaon {

std::string synonym(std::string_view written) {
  auto const dot = written.rfind('.');
  std::string word;
  for (char const c : written.substr(dot + 1))
    if (c != '-' && c != '_') word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  auto const& keys = schema();
  auto const key = std::find_if(keys.begin(), keys.end(),
                                [&](Key const& k) { return std::find(k.words.begin(), k.words.end(), word) != k.words.end(); });
  if (key == keys.end()) return {};
  if (key->section != "group") return key->section + '.' + key->name;
  constexpr std::string_view group = "group.";
  bool const in_group = dot != std::string_view::npos && written.substr(0, group.size()) == group && dot > group.size();
  return (in_group ? std::string(written.substr(0, dot)) : std::string("group.NAME")) + '.' + key->name;
}

}  // namespace kaon
