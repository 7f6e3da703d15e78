#include "sample.hpp"

#include <kaon/deck/groups.hpp>

namespace kaon::test {
namespace {

Deck with_groups(std::vector<std::pair<std::string, std::string>> const& groups) {
  auto text = smallest.substr(0, smallest.find("[group"));
  for (auto const& [name, layers] : groups) text += "[group." + name + "]\nradius = 1\nlayers = " + layers + "\n";
  return deck_of(text);
}

TEST(Glob, AsFnmatch) {
  EXPECT_TRUE(glob_matches("*", "blocks.0.qkv"));
  EXPECT_TRUE(glob_matches("blocks.*.qkv", "blocks.12.qkv"));
  EXPECT_TRUE(glob_matches("blocks.[0-3].*", "blocks.2.mlp/up")) << "a * crosses slashes";
  EXPECT_FALSE(glob_matches("blocks.?.qkv", "blocks.12.qkv"));
  EXPECT_FALSE(glob_matches("head", "head.bias"));
  EXPECT_FALSE(glob_matches("Head", "head"));
}

TEST(Groups, FirstMatchWins) {
  auto const deck = with_groups({{"ends", "embedding, head"}, {"rest", "*"}, {"late", "blocks.*"}});
  auto const found = assign_groups(deck, {"embedding", "blocks.0.qkv", "head"});
  EXPECT_EQ(found.group, (std::vector<int>{0, 1, 0}));
  EXPECT_EQ(found.idle, std::vector<std::string>{"late"});
}

TEST(Groups, ALayerWithoutGroupIsAnError) {
  try {
    assign_groups(with_groups({{"a", "blocks.*"}}), {"blocks.0", "head"});
    ADD_FAILURE() << "accepted";
  } catch (UsageError const& e) {
    expect_parts(e.what(), {"deck.ini", "layer head", "blocks.0, head"});
  }
}

TEST(Groups, NoLayers) {
  auto const found = assign_groups(with_groups({{"a", "*"}, {"b", "x"}}), {});
  EXPECT_TRUE(found.group.empty());
  EXPECT_EQ(found.idle.size(), 2u);
}

}  // namespace
}  // namespace kaon::test
