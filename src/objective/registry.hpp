#ifndef KAON_OBJECTIVE_REGISTRY_HPP
#define KAON_OBJECTIVE_REGISTRY_HPP

#include <kaon/objective/objective.hpp>
#include <kaon/objective/traits.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kaon {

template <class T>
struct ObjectiveEntry {
  ObjectiveTraits traits;
  std::unique_ptr<Objective<T>> (*make)(SectionValues const& values, int workers, std::uint64_t seed);
};

/// The table that decks choose from by objective.kind; starts with what the library has.
template <class T>
std::vector<ObjectiveEntry<T>>& objective_table();

/// nullptr where none is called so.
ObjectiveTraits const* find_objective(std::string const& name);

/// The keys of sections that several objectives may share.
std::vector<Key> shared_keys();

/// Throws std::invalid_argument unless `traits` can be added: a name that is not taken.
void check_new_objective(ObjectiveTraits const& traits);

/// Adds an objective of a program's own, for float and double; O<T>::make is a static function that makes it of the values of its
/// sections, optimizer.workers and run.seed. Decks learn of it by offer_objective (kaon/run/start/offer_objective.hpp).
template <template <class> class O>
void register_objective(ObjectiveTraits const& traits) {
  check_new_objective(traits);
  objective_table<float>().push_back({traits, O<float>::make});
  objective_table<double>().push_back({traits, O<double>::make});
}

}  // namespace kaon

#endif
