// What the decks of input/ resolve to, byte for byte: the text that checkpoints carry and ranks compare. A new key changes the
// files of resolved/; nothing else may.
#include "read.hpp"

#include <kaon/deck/deck.hpp>
#include <kaon/run/start/shipped.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace kaon::test {
namespace {

namespace fs = std::filesystem;

TEST(Resolved, DecksOfTheCheckoutByteForByte) {
  offer_shipped();
  fs::path const root = KAON_SOURCE_DIR;
  int seen = 0;
  for (auto const& folder : {root / "input", root / "apps/gpu/decks"})
    for (auto const& file : fs::recursive_directory_iterator(folder)) {
      if (file.path().extension() != ".deck") continue;
      ++seen;
      auto const golden = root / "tests/reference/resolved" / file.path().filename();
      ASSERT_TRUE(fs::exists(golden)) << golden << ": kaon-train -n makes it";
      auto const deck = Deck::from_file(file.path().string());
      EXPECT_EQ(deck.resolved(), read(golden)) << file.path();
      EXPECT_TRUE(deck.disagreements(Deck::from_checkpoint(read(golden), "golden")).empty());
    }
  EXPECT_EQ(seen, 11);
}

}  // namespace
}  // namespace kaon::test
