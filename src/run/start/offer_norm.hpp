#ifndef KAON_RUN_START_OFFER_NORM_HPP
#define KAON_RUN_START_OFFER_NORM_HPP

#include <kaon/deck/offer.hpp>
#include <kaon/lmo/registry.hpp>

namespace kaon {

/// Adds a norm of a program's own (register_norm) and lets decks name it: `norm = NAME` in a group. Call it once, before a deck
/// is read. Throws std::invalid_argument as register_norm does.
template <template <class, class> class N>
void offer_norm(NormTraits const& traits) {
  register_norm<N>(traits);
  offer_choice("group", "norm", traits.name);
}

}  // namespace kaon

#endif
