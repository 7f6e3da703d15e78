#ifndef KAON_DECK_SCHEMA_HPP
#define KAON_DECK_SCHEMA_HPP

#include <kaon/keys/allowed.hpp>
#include <kaon/keys/key.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace kaon {

/// All keys, in the order of the reference: the deck's own, and what has been offered (offer.hpp); the keys of a group last.
std::vector<Key> const& schema();

/// Sections in order: run, objective, …, group.
std::vector<std::string> sections();

/// "section.name", as looked up by Deck; for a key of a group "group.NAME.name" is reduced to its schema key. nullptr: unknown.
/// Valid until something is offered.
Key const* find_key(std::string_view full);

}  // namespace kaon

#endif
