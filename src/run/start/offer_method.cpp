#include <kaon/deck/offer.hpp>
#include <kaon/run/start/offer_method.hpp>

namespace kaon {

void offer_method_keys(std::string const& name, std::string const& help, std::vector<Key> group_keys,
                       std::vector<std::string> const& used_common_keys) {
  for (auto& key : group_keys) key.section = "group";
  offer_group_method(name, help, group_keys, used_common_keys);
}

void offer_method_keys(MethodTraits const& traits) { offer_method_keys(traits.name, traits.help, traits.keys, traits.uses); }

}  // namespace kaon
