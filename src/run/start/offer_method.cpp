#include <kaon/run/start/offer_method.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon {

namespace {

// Keys that go with a norm.
bool of_norm(std::string_view key) {
  return key == "schatten_p" || key == "ky_fan_k" || key == "scale" || key == "factor" || key == "row_blocks" ||
         key == "col_blocks" || key.substr(0, 5) == "polar";
}

}  // namespace

DeckMethod deck_method(MethodTraits const& traits) {
  DeckMethod method{traits.name, {}};
  for (auto const& key : schema()) {
    if (key.section != "group" || key.name == "layers" || key.name == "method" || !key.method.empty()) continue;
    auto const used = [&](std::string_view name) {
      return std::find(traits.uses.begin(), traits.uses.end(), name) != traits.uses.end();
    };
    if (!used(key.name) && !(used("norm") && of_norm(key.name))) method.unused.emplace_back(key.name);
  }
  return method;
}

void offer_method_traits(MethodTraits const& traits) {
  std::vector<std::string> fallbacks;
  for (auto const& key : traits.keys)
    fallbacks.push_back(key.choices.empty() ? fmt::format("{}", key.fallback) : key.choices.front());
  std::vector<Key> own;
  for (std::size_t i = 0; i < traits.keys.size(); ++i) {
    auto const& from = traits.keys[i];
    Key key;
    key.name = from.name;
    key.type = from.choices.empty() ? KeyType::real : KeyType::choice;
    key.choices.assign(from.choices.begin(), from.choices.end());
    key.fallback = fallbacks[i];
    if (from.choices.empty()) key.low = from.low, key.high = from.high;
    key.low_open = from.low_open;
    key.high_open = from.high_open;
    key.help = from.help;
    own.push_back(key);
  }
  offer_method_keys(deck_method(traits), std::move(own));
}

}  // namespace kaon
