#include <kaon/deck/offer.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/deck/table.hpp>
#include <kaon/deck/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace kaon {

namespace {

bool holds(std::vector<std::string> const& all, std::string const& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

[[noreturn]] void refuse(std::string const& what, std::string const& why) {
  throw std::invalid_argument(fmt::format("{}: {}", what, why));
}

Key& choice_key(std::string_view section, std::string_view name, std::string const& value, std::string const& what) {
  Key* const key = deck_table().find(section, name);
  if (!key || key->type != KeyType::choice) refuse(what, "there is no such key with choices");
  if (!is_offered_name(value)) refuse(what, "a name is made of letters, digits, _ and -");
  if (holds(key->choices, value)) refuse(what, "it is there already");
  return *key;
}

// Whether a key can stand in the table; what is wrong with it nobody but its author can mend.
void check_key(Key const& key) {
  auto const what = fmt::format("key {}.{}", key.section, key.name);
  if (!is_offered_name(key.section) || !is_offered_name(key.name)) refuse(what, "names are made of letters, digits, _ and -");
  if (deck_table().find(key.section, key.name)) refuse(what, "it is there already");
  if (key.help.empty() || key.help.find_first_of("|\n") != std::string::npos) refuse(what, "help is one line without |");
  if (key.choices.empty() == (key.type == KeyType::choice)) refuse(what, "a choice, and nothing else, has choices");
  if (key.required && !(key.fallback.empty() && key.inherits.empty())) refuse(what, "it is required and has a default");
  if (!(key.low <= key.high)) refuse(what, "low is above high");
  if (!key.inherits.empty()) {
    auto const* from = find_key(key.inherits);
    if (!from || from->type != key.type || !key.fallback.empty()) refuse(what, "it cannot inherit from " + key.inherits);
  } else if (!key.required && key.fallback.empty() && key.type != KeyType::text && key.type != KeyType::list) {
    refuse(what, "it has no default and is not required");
  }
  try {
    if (canonical(key, key.fallback) != key.fallback)
      refuse(what, fmt::format("the default '{}' is written '{}'", key.fallback, canonical(key, key.fallback)));
  } catch (UsageError const& e) {
    if (!key.required) refuse(what, fmt::format("the default '{}' {}", key.fallback, e.what()));
  }
}

void check_keys(std::vector<Key> const& keys) {
  for (auto key = keys.begin(); key != keys.end(); ++key) {
    check_key(*key);
    if (std::any_of(keys.begin(), key, [&](Key const& k) { return k.section == key->section && k.name == key->name; }))
      refuse(fmt::format("key {}.{}", key->section, key->name), "it is there already");
  }
}

bool of_the_deck(std::string const& section) {
  static auto const own = deck_keys();
  return std::any_of(own.begin(), own.end(), [&](Key const& k) { return k.section == section; });
}

// Whether two methods mean one key: all but used_by.
bool same_key(Key const& a, Key const& b) {
  return a.section == b.section && a.name == b.name && a.type == b.type && a.fallback == b.fallback && a.required == b.required &&
         a.low == b.low && a.high == b.high && a.low_open == b.low_open && a.high_open == b.high_open && a.choices == b.choices &&
         a.may_change == b.may_change && a.inherits == b.inherits && a.part_of == b.part_of && a.help == b.help;
}

void add_help(Key& key, std::string const& name, std::string const& help) { key.help += fmt::format("; {}: {}", name, help); }

}  // namespace

bool is_offered_name(std::string const& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

void offer_choice(std::string_view section, std::string_view name, std::string const& value) {
  choice_key(section, name, value, fmt::format("offer_choice {}.{} = {}", section, name, value)).choices.push_back(value);
}

void offer_keys(std::vector<Key> const& keys, Resolved resolved) {
  check_keys(keys);
  for (auto const& key : keys)
    if (of_the_deck(key.section)) refuse(fmt::format("key {}.{}", key.section, key.name), "this section is the deck's own");
  auto& all = deck_table().keys;
  for (auto key : keys) {
    if (resolved == Resolved::always) deck_table().always.push_back(key.section);
    key.used_by = {};
    auto at = std::find_if(all.rbegin(), all.rend(), [&](Key const& k) { return k.section == key.section; });
    if (at == all.rend())
      at = std::find_if(all.rbegin(), all.rend(),
                        [](Key const& k) { return !of_the_deck(k.section) || k.section == "objective"; });
    all.insert(at.base(), std::move(key));
  }
}

void offer_kind(std::string const& name, std::string const& help, std::vector<std::string> const& sections, CheckTogether check) {
  auto const what = "objective " + name;
  auto& kind = choice_key("objective", "kind", name, what);
  auto const there = kaon::sections();
  for (auto const& section : sections)
    if (of_the_deck(section) || !holds(there, section))
      refuse(what, fmt::format("no objective has brought a section [{}]", section));
  kind.choices.push_back(name);
  add_help(kind, name, help);
  for (auto& key : deck_table().keys)
    if (holds(sections, key.section)) key.used_by.push_back(name);
  deck_table().kinds.push_back({name, sections, std::move(check)});
}

void offer_group_method(std::string const& name, std::string const& help, std::vector<Key> const& keys,
                        std::vector<std::string> const& used) {
  auto const what = "method " + name;
  auto& method = choice_key("group", "method", name, what);
  std::vector<Key> fresh;  // the others are another method's too, word for word
  for (auto const& key : keys)
    if (auto const* there = deck_table().find(key.section, key.name); !there || !same_key(*there, key)) fresh.push_back(key);
  check_keys(fresh);
  for (auto const& key : keys)
    if (key.section != "group")
      refuse(fmt::format("key {}.{}", key.section, key.name), "a method's keys are of the section group");
  for (auto const& common : used)
    if (!deck_table().find("group", common)) refuse(what, fmt::format("groups have no key {}", common));
  if (method.choices.empty()) method.fallback = name;
  method.choices.push_back(name);
  add_help(
      method, name,
      fmt::format("{} (reads {})", help, used.empty() ? "none of the keys below" : fmt::format("{}", fmt::join(used, ", "))));
  auto& all = deck_table().keys;
  for (auto& key : all)
    if (key.section == "group" && (holds(used, key.name) || holds(used, key.part_of))) key.used_by.push_back(name);
  for (auto const& key : keys)
    if (auto* there = deck_table().find("group", key.name)) there->used_by.push_back(name);
  for (auto key : fresh) {
    key.used_by = {name};
    all.push_back(std::move(key));
  }
}

}  // namespace kaon
