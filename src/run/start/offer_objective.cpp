#include <kaon/deck/offer.hpp>
#include <kaon/run/start/offer_objective.hpp>

#include <algorithm>

namespace kaon {

namespace {

std::vector<std::string> sections_of(ObjectiveTraits const& traits) {
  std::vector<std::string> all;
  for (auto const& key : traits.keys)
    if (std::find(all.begin(), all.end(), key.section) == all.end()) all.push_back(key.section);
  all.insert(all.end(), traits.shares.begin(), traits.shares.end());
  return all;
}

}  // namespace

void offer_kind_of(ObjectiveTraits const& traits) {
  offer_kind(traits.name, traits.help, sections_of(traits), traits.check ? CheckTogether(traits.check) : CheckTogether());
}

void offer_objective_keys(ObjectiveTraits const& traits) {
  offer_keys(traits.keys);
  offer_kind_of(traits);
}

}  // namespace kaon
