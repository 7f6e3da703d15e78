#ifndef KAON_RUN_START_IDLE_KEYS_HPP
#define KAON_RUN_START_IDLE_KEYS_HPP

#include <kaon/deck/deck.hpp>

#include <string>
#include <vector>

namespace kaon {

/// Keys of [group.NAME] that the deck changes from their default although its other keys leave them without effect: a line for
/// each, naming the key and what it would need. For warnings.
std::vector<std::string> idle_keys(Deck const& deck, std::string const& group);

/// The same for the other sections.
std::vector<std::string> idle_keys(Deck const& deck);

}  // namespace kaon

#endif
