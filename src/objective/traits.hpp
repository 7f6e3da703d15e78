#ifndef KAON_OBJECTIVE_TRAITS_HPP
#define KAON_OBJECTIVE_TRAITS_HPP

#include <kaon/keys/key_values.hpp>

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

}  // namespace kaon

#endif
