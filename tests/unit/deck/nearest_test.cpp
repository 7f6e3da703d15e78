#include <kaon/deck/nearest.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

TEST(EditDistance, KnownValues) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2u);
  EXPECT_EQ(edit_distance("beta", "bета"), 6u);  // Cyrillic е, т, а: two bytes each
}

TEST(EditDistance, IsAMetric) {
  std::vector<std::string> const words{"radius", "radios", "raidus", "beta", "b", "", "norm", "form"};
  for (auto const& a : words)
    for (auto const& b : words) {
      EXPECT_EQ(edit_distance(a, b), edit_distance(b, a));
      EXPECT_EQ(edit_distance(a, b) == 0, a == b);
      for (auto const& c : words) EXPECT_LE(edit_distance(a, c), edit_distance(a, b) + edit_distance(b, c));
    }
}

TEST(Nearest, FewestEditsThenFirst) {
  EXPECT_EQ(nearest("raduis", {"norm", "radius", "scale"}), "radius");
  EXPECT_EQ(nearest("x", {"a", "b"}), "a");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Nearest, RightNameInAnotherSection) {
  EXPECT_EQ(nearest("steps", {"model.heads", "run.steps"}), "run.steps");
  EXPECT_EQ(nearest("optimizer.steps", {"optimizer.start", "run.steps"}), "run.steps");
  EXPECT_EQ(nearest("optimiser.beta", {"optimizer.start", "optimizer.beta"}), "optimizer.beta");
}

}  // namespace
}  // namespace kaon
