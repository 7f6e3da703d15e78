#include <kaon/deck/offer.hpp>
#include <kaon/deck/value.hpp>
#include <kaon/run/start/offer_method.hpp>

namespace kaon {

void offer_method_keys(std::string const& name, std::string const& help, std::vector<Key> group_keys,
                       std::vector<std::string> const& used_common_keys) {
  for (auto& key : group_keys) key.section = "group";
  offer_group_method(name, help, group_keys, used_common_keys);
}

void offer_method_keys(MethodTraits const& traits) {
  std::vector<Key> keys;
  for (auto const& k : traits.keys) {
    if (!k.choices.empty()) {
      keys.push_back({.section = "group",
                      .name = k.name,
                      .type = KeyType::choice,
                      .fallback = k.choices.front(),
                      .choices = k.choices,
                      .help = k.help});
      continue;
    }
    keys.push_back({.section = "group",
                    .name = k.name,
                    .type = KeyType::real,
                    .fallback = number_text(k.fallback),
                    .low = k.low,
                    .high = k.high,
                    .low_open = k.low_open,
                    .high_open = k.high_open,
                    .help = k.help});
  }
  offer_method_keys(traits.name, traits.help, std::move(keys), traits.uses);
}

}  // namespace kaon
