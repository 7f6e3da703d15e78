#ifndef KAON_KEYS_KEY_VALUES_HPP
#define KAON_KEYS_KEY_VALUES_HPP

#include <kaon/core/error.hpp>
#include <kaon/keys/key.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kaon {

/// The values of one section or group of a deck, as its keys have them. Asking for a key that is not there, as another type, or
/// for the number of one that has none, throws std::invalid_argument.
class KeyValues {
 public:
  using Parsed = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;
  struct Value {
    Parsed parsed;     ///< std::monostate: empty, and no text
    std::string text;  ///< as the resolved deck has it
    std::string where;
  };

  /// `section` as it stands between [ and ].
  explicit KeyValues(std::string section = {}) : section_(std::move(section)) {}
  void add(std::string const& name, Value value) { values_.insert_or_assign(name, std::move(value)); }

  std::string const& section() const { return section_; }
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  std::string const& text(std::string_view name) const { return as<std::string>(name); }  ///< of a text or a choice
  std::int64_t integer64(std::string_view name) const { return as<std::int64_t>(name); }
  int integer(std::string_view name) const {
    auto const v = integer64(name);
    if (v < std::numeric_limits<int>::min() || v > std::numeric_limits<int>::max()) wrong(name, "needs integer64");
    return static_cast<int>(v);
  }
  double real(std::string_view name) const { return as<double>(name); }
  bool flag(std::string_view name) const { return as<bool>(name); }
  std::vector<std::string> const& list(std::string_view name) const { return as<std::vector<std::string>>(name); }

  /// Where the value was given, for messages: "my.deck:12", "command line"; where it is a default the deck's name.
  std::string const& where(std::string_view name) const { return find(name).where; }
  /// Throws UsageError "my.deck:12: section.name = value: why".
  [[noreturn]] void refuse(std::string_view name, std::string const& why) const {
    auto const& value = find(name);
    throw UsageError(value.where + ": " + section_ + "." + std::string(name) + " = " + value.text + ": " + why);
  }
  /// Every value as text, by name.
  std::map<std::string, std::string> texts() const {
    std::map<std::string, std::string> out;
    for (auto const& [name, value] : values_) out.emplace(name, value.text);
    return out;
  }

 private:
  [[noreturn]] void wrong(std::string_view name, char const* what) const {
    throw std::invalid_argument("key " + section_ + "." + std::string(name) + " " + what);
  }
  Value const& find(std::string_view name) const {
    auto const at = values_.find(name);
    if (at == values_.end()) wrong(name, "is not there");
    return at->second;
  }
  template <class V>
  V const& as(std::string_view name) const {
    auto const& parsed = find(name).parsed;
    if (std::holds_alternative<std::monostate>(parsed)) wrong(name, "has no value");
    auto const* value = std::get_if<V>(&parsed);
    if (!value) wrong(name, "has another type");
    return *value;
  }

  std::string section_;
  std::map<std::string, Value, std::less<>> values_;
};

/// The values of all sections that an objective reads.
class SectionValues {
 public:
  void add(KeyValues values) { sections_.push_back(std::move(values)); }
  /// Throws std::invalid_argument for a section that is not there.
  KeyValues const& operator[](std::string_view section) const {
    auto const at = std::find_if(sections_.begin(), sections_.end(), [&](KeyValues const& v) { return v.section() == section; });
    if (at == sections_.end()) throw std::invalid_argument("no values of a section " + std::string(section));
    return *at;
  }

 private:
  std::vector<KeyValues> sections_;
};

}  // namespace kaon

#endif
