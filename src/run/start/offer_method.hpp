#ifndef KAON_RUN_START_OFFER_METHOD_HPP
#define KAON_RUN_START_OFFER_METHOD_HPP

#include <kaon/deck/schema.hpp>
#include <kaon/method/registry.hpp>

namespace kaon {

/// What a deck has to know of a method.
DeckMethod deck_method(MethodTraits const& traits);

/// Lets decks name a method that is registered: `method = NAME` in a group, and its own keys there. Throws std::invalid_argument
/// as offer_method_keys does.
void offer_method_traits(MethodTraits const& traits);

/// Adds a method of a program's own (register_method) and lets decks name it. Call it once, before a deck is read. Throws
/// std::invalid_argument as register_method does, or where a group has a key of the name already.
template <template <class> class M>
void offer_method() {
  register_method<M>(M<float>::traits());
  offer_method_traits(M<float>::traits());
}

}  // namespace kaon

#endif
