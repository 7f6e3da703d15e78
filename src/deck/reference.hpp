#ifndef KAON_DECK_REFERENCE_HPP
#define KAON_DECK_REFERENCE_HPP

#include <string>

namespace kaon {

/// The reference of all keys in Markdown: the text of docs/deck.md.
std::string deck_reference_markdown();

/// The reference of all keys for --help: one line a key, at most 130 columns where the words allow it.
std::string deck_help();

}  // namespace kaon

#endif
