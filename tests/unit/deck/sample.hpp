// Decks that the deck's tests share.
#ifndef KAON_TESTS_DECK_SAMPLE_HPP
#define KAON_TESTS_DECK_SAMPLE_HPP

#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/support/texts.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kaon::test {

inline std::string const smallest =
    "[run]\nsteps = 100\n[objective]\nkind = model\n[data]\ntrain = a.txt\n[optimizer]\nworkers = 4\n"
    "[group.all]\nlayers = *\nradius = 0.02\n";

inline Deck deck_of(std::string const& text, std::vector<std::string> const& overrides = {}) {
  return Deck::from_text(text, "deck.ini", overrides);
}

/// The message of the UsageError that `text` and `overrides` are refused with; "" when they are accepted.
inline std::string refusal(std::string const& text, std::vector<std::string> const& overrides = {}) {
  try {
    deck_of(text, overrides);
  } catch (UsageError const& e) {
    EXPECT_EQ(e.code(), Exit::usage);
    return e.what();
  }
  return "";
}

}  // namespace kaon::test

#endif
