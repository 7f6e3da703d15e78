#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/deck/table.hpp>
#include <kaon/deck/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace kaon {

namespace {

KeyValues::Parsed parsed(Key const& key, std::string const& text) {
  if (key.type == KeyType::text || key.type == KeyType::choice) return text;
  if (key.type == KeyType::list) return as_list(text);
  if (text.empty()) return {};
  if (key.type == KeyType::boolean) return text == "yes";
  if (key.type == KeyType::integer) return as_integer(text);
  return as_real(text);
}

std::string section_of(std::string_view key) { return std::string(key.substr(0, std::min(key.rfind('.'), key.size()))); }

}  // namespace

void Deck::require_type(std::string_view key, std::initializer_list<KeyType> types) const {
  auto const at = values_.find(key);
  if (at != values_.end() && at->second.foreign) return;
  Key const* k = find_key(key);
  require(k != nullptr, ("no such key in the deck's schema: " + std::string(key)).c_str());
  require(std::find(types.begin(), types.end(), k->type) != types.end(),
          ("deck key of another type: " + std::string(key)).c_str());
}

Deck::Value const& Deck::effective_value(std::string_view key) const {
  auto const at = values_.find(key);
  require(at != values_.end(), ("no such key in this deck: " + std::string(key)).c_str());
  Key const* k = find_key(key);
  return k && at->second.text.empty() && !k->inherits.empty() ? effective_value(k->inherits) : at->second;
}

std::string Deck::where(std::string_view key) const {
  auto const& value = effective_value(key);
  return value.given ? value.origin : origin_;
}

// The same as part of a sentence.
std::string Deck::source(std::string_view key) const {
  auto const& value = effective_value(key);
  if (!value.given) return fmt::format("by default in {}", origin_);
  return value.origin == "command line" ? "on the command line" : "in " + value.origin;
}

std::string Deck::text(std::string_view key) const {
  require_type(key, {KeyType::text, KeyType::choice});
  return effective(key);
}

std::int64_t Deck::integer64(std::string_view key) const {
  require_type(key, {KeyType::integer});
  return as_integer(effective(key));
}

int Deck::integer(std::string_view key) const {
  auto const v = integer64(key);
  require(v <= std::numeric_limits<int>::max() && v >= std::numeric_limits<int>::min(),
          ("deck key needs integer64: " + std::string(key)).c_str());
  return static_cast<int>(v);
}

double Deck::real(std::string_view key) const {
  require_type(key, {KeyType::real});
  return as_real(effective(key));
}

bool Deck::flag(std::string_view key) const {
  require_type(key, {KeyType::boolean});
  return effective(key) == "yes";
}

std::vector<std::string> Deck::list(std::string_view key) const {
  require_type(key, {KeyType::list});
  return as_list(effective(key));
}

bool Deck::has_default(std::string_view key) const {
  auto const at = values_.find(key);
  require(at != values_.end(), ("no such key in this deck: " + std::string(key)).c_str());
  return !at->second.given;
}

std::string Deck::default_of(std::string_view key) const {
  Key const* k = find_key(key);
  if (!k) return {};
  return k->inherits.empty() ? k->fallback : effective(k->inherits);
}

bool Deck::changed(std::string_view key) const { return !has_default(key) && effective(key) != default_of(key); }

bool Deck::counts(std::string_view key) const {
  Key const* k = find_key(key);
  auto const given = values_.find(key);
  if (!k) return given != values_.end();
  if (k->used_by.empty()) return true;
  auto const with = k->section == "group" ? section_of(key) + ".method" : std::string("objective.kind");
  auto const at = values_.find(with);
  if (at != values_.end() && at->second.foreign) return given != values_.end() && given->second.given;
  auto const& value = at != values_.end() ? at->second.text : find_key(with)->fallback;
  return std::find(k->used_by.begin(), k->used_by.end(), value) != k->used_by.end();
}

KeyValues Deck::values(std::string const& section) const {
  bool const group = section.rfind("group.", 0) == 0;
  KeyValues out(section);
  bool found = false;
  for (auto const& key : schema()) {
    auto const name = section + "." + key.name;
    if ((group ? "group" : section) != key.section || values_.count(name) == 0) continue;
    found = true;
    out.add(key.name, {parsed(key, effective(name)), effective(name), where(name)});
  }
  require(found, ("no such section in this deck: " + section).c_str());
  return out;
}

SectionValues Deck::objective_values() const {
  SectionValues out;
  for (auto const& kind : deck_table().kinds)
    if (kind.name == text("objective.kind"))
      for (auto const& section : kind.sections) out.add(values(section));
  return out;
}

std::vector<std::string> Deck::foreign() const {
  std::vector<std::string> lines;
  for (auto const& [name, value] : values_)
    if (value.foreign) lines.push_back(name + " = " + value.text);
  return lines;
}

}  // namespace kaon
