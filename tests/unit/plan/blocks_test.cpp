#include <kaon/plan/blocks.hpp>

#include <gtest/gtest.h>

#include <string>

namespace kaon {
namespace {

using Text = std::string*;
auto const add = [](Text left, Text right) { *left = "(" + *left + "+" + *right + ")"; };
auto const keep = [](Text) {};

/// How the micro-batches [0, m) are added when ranks with `cuts` in between hold them.
std::string written_out(int m, std::vector<int> const& cuts) {
  std::vector<std::string> leaf(static_cast<std::size_t>(m));
  for (int i = 0; i < m; ++i) leaf[static_cast<std::size_t>(i)] = std::to_string(i);
  BlockSum<Text> joined;
  int begin = 0;
  for (std::size_t c = 0; c <= cuts.size(); ++c) {
    int const end = c < cuts.size() ? cuts[c] : m;
    BlockSum<Text> one;
    for (int i = begin; i < end; ++i) one.push({{i, 1}, &leaf[static_cast<std::size_t>(i)]}, add, keep);
    auto const blocks = blocks_of({begin, end - begin});
    EXPECT_EQ(one.parts().size(), blocks.size());
    for (std::size_t k = 0; k < blocks.size(); ++k) EXPECT_EQ(one.parts()[k].block, blocks[k]);
    for (auto const& part : one.parts()) joined.push(part, add, keep);
    begin = end;
  }
  return *joined.finish(add, keep);
}

TEST(BlockSum, ThePowersOfTwoAreTreesAndTheRestIsAddedFromTheRight) {
  EXPECT_EQ(written_out(1, {}), "0");
  EXPECT_EQ(written_out(2, {}), "(0+1)");
  EXPECT_EQ(written_out(3, {}), "((0+1)+2)");
  EXPECT_EQ(written_out(4, {}), "((0+1)+(2+3))");
  EXPECT_EQ(written_out(7, {}), "(((0+1)+(2+3))+((4+5)+6))");
}

TEST(BlockSum, WhoHoldsWhatDoesNotChangeTheOrder) {
  for (int m = 1; m <= 16; ++m) {
    auto const alone = written_out(m, {});
    for (int a = 1; a < m; ++a) {
      EXPECT_EQ(written_out(m, {a}), alone);
      for (int b = a + 1; b < m; ++b) {
        EXPECT_EQ(written_out(m, {a, b}), alone);
        for (int c = b + 1; c < m; ++c) EXPECT_EQ(written_out(m, {a, b, c}), alone) << m << ": " << a << " " << b << " " << c;
      }
    }
  }
}

TEST(Blocks, AreTheFewestAligned) {
  using Blocks = std::vector<AddBlock>;
  EXPECT_EQ(blocks_of({0, 8}), (Blocks{{0, 8}}));
  EXPECT_EQ(blocks_of({1, 6}), (Blocks{{1, 1}, {2, 2}, {4, 2}, {6, 1}}));
  EXPECT_EQ(blocks_of({4, 3}), (Blocks{{4, 2}, {6, 1}}));
  EXPECT_TRUE(blocks_of({3, 0}).empty());
}

}  // namespace
}  // namespace kaon
