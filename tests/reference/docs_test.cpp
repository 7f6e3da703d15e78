// docs/deck.md is made from the schema and what the library offers it. KAON_UPDATE_DOCS=1 in the environment rewrites it instead
// of comparing.
#include "read.hpp"

#include <kaon/deck/reference.hpp>
#include <kaon/run/start/shipped.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace kaon::test {
namespace {

std::filesystem::path source_root() { return KAON_SOURCE_DIR; }

/// "line 12: 'a' instead of 'b'" for the first line that differs; "" when the texts are equal.
std::string first_difference(std::string const& found, std::string const& wanted) {
  std::istringstream a(found), b(wanted);
  for (int line = 1;; ++line) {
    std::string x, y;
    bool const more_x = static_cast<bool>(std::getline(a, x)), more_y = static_cast<bool>(std::getline(b, y));
    if (!more_x && !more_y) return found == wanted ? "" : "the end of the last line";
    if (x != y || more_x != more_y) return "line " + std::to_string(line) + ": '" + x + "' instead of '" + y + "'";
  }
}

TEST(Docs, DeckPageIsTheReferenceOfTheProgram) {
  auto const page = source_root() / "docs" / "deck.md";
  offer_shipped();
  auto const wanted = deck_reference_markdown();
  if (char const* update = std::getenv("KAON_UPDATE_DOCS"); update && std::string(update) == "1") {
    std::ofstream out(page, std::ios::binary);
    out << wanted;
    out.flush();
    ASSERT_TRUE(out) << "cannot write " << page;
    return;
  }
  EXPECT_EQ(first_difference(read(page), wanted), "")
      << page << " is not what the schema says; make it anew: KAON_UPDATE_DOCS=1 kaon_reference --gtest_filter='Docs.*'";
}

TEST(Docs, DifferencesAreFound) {
  EXPECT_EQ(first_difference("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(first_difference("a\nc\n", "a\nb\n"), "line 2: 'c' instead of 'b'");
  EXPECT_EQ(first_difference("a\n", "a\nb\n"), "line 2: '' instead of 'b'");
  EXPECT_EQ(first_difference("a", "a\n"), "the end of the last line");
}

}  // namespace
}  // namespace kaon::test
