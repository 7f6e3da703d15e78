#ifndef KAON_DECK_SYNONYMS_HPP
#define KAON_DECK_SYNONYMS_HPP

#include <string>
#include <string_view>

namespace kaon {

/// The known key ("group.NAME.radius") that stands for what other programs call `key` ("optimizer.lr", "learning-rate"), whatever
/// section it was written in; "" for a word that the field does not use so.
std::string synonym(std::string_view key);

}  // namespace kaon

#endif
