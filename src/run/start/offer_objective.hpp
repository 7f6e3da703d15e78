#ifndef KAON_RUN_START_OFFER_OBJECTIVE_HPP
#define KAON_RUN_START_OFFER_OBJECTIVE_HPP

#include <kaon/objective/registry.hpp>

namespace kaon {

/// Lets decks name the objective, and have its keys. The objectives that ship are there from the start.
void offer_objective_keys(ObjectiveTraits const& traits);
/// The second half of it, where the keys are there.
void offer_kind_of(ObjectiveTraits const& traits);

/// Adds an objective of a program's own (register_objective) and lets decks name it: `kind = NAME` in [objective], with its keys
/// in sections of its own. Call it once, before a deck is read. Throws std::invalid_argument for a name or a key that is taken or
/// cannot be.
template <template <class> class O>
void offer_objective(ObjectiveTraits const& traits) {
  check_new_objective(traits);
  offer_objective_keys(traits);
  register_objective<O>(traits);
}

}  // namespace kaon

#endif
