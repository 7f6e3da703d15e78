#ifndef KAON_RUN_START_OFFER_METHOD_HPP
#define KAON_RUN_START_OFFER_METHOD_HPP

#include <kaon/keys/key.hpp>
#include <kaon/method/registry.hpp>

#include <string>
#include <vector>

namespace kaon {

/// Lets decks name the method: `method = NAME` in a group. `group_keys` are its own, `used_common_keys` those of every group that
/// mean something to it ("norm" stands for what shapes a norm too). The methods that ship are there from the start. Before a deck
/// is read. Throws std::invalid_argument for a name or a key that is taken or cannot be.
void offer_method_keys(std::string const& name, std::string const& help, std::vector<Key> group_keys,
                       std::vector<std::string> const& used_common_keys);
/// The same by what the method says of itself.
void offer_method_keys(MethodTraits const& traits);

/// Adds a method of a program's own (register_method) and lets decks name it. Call it once, before a deck is read.
template <template <class> class M>
void offer_method(MethodTraits const& traits) {
  check_new_method(traits);
  offer_method_keys(traits);
  register_method<M>(traits);
}

/// The same by M<float>::traits().
template <template <class> class M>
void offer_method() {
  offer_method<M>(M<float>::traits());
}

}  // namespace kaon

#endif
