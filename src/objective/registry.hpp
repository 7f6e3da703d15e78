#ifndef KAON_OBJECTIVE_REGISTRY_HPP
#define KAON_OBJECTIVE_REGISTRY_HPP

#include <kaon/keys/key_values.hpp>
#include <kaon/objective/objective.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kaon {

/// A key that others leave without effect, and what it would need.
struct IdleKey {
  std::string key;  ///< "data.validation_fraction"
  std::string needs;
};

/// What an objective is to a deck, beside what it computes: the same for every scalar type.
struct ObjectiveTraits {
  std::string name;                      ///< of objective.kind
  std::string help;                      ///< a few words
  std::vector<Key> keys = {};            ///< of sections of its own
  std::vector<std::string> shares = {};  ///< sections that several objectives read: "data" (shared_keys)
  /// Throws UsageError where the values do not fit each other; null: they always do.
  void (*check)(SectionValues const& values) = nullptr;
  /// Keys without effect with these values, of any section; those that a deck changes are warned of. Null: none.
  std::vector<IdleKey> (*idle)(SectionValues const& values) = nullptr;
  std::string micro_batches = {};  ///< the full key that cuts a worker's batch, for messages; empty: there is none
};

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
