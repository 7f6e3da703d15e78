#include <kaon/core/error.hpp>
#include <kaon/run/assemble.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

Deck own_deck() {
  return Deck::from_text(
      "[run]\nsteps = 5\n[objective]\nkind = own\n[optimizer]\nworkers = 3\nstart = zero\n"
      "[group.factors]\nlayers = U V\nnorm = row\nradius = 0.5\nuplink = top:0.1\n[group.idle]\nlayers = z*\nradius = 1\n",
      "own deck");
}

TEST(Assemble, OwnObjectiveNeedsAProgramThatBringsIt) {
  auto const deck = own_deck();
  try {
    make_objective<float>(deck);
    FAIL() << "kaon-train has no objective of that kind";
  } catch (UsageError const& e) {
    EXPECT_NE(std::string(e.what()).find("own deck"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("objective.kind = own"), std::string::npos) << e.what();
  }
}

TEST(Assemble, GroupsBecomeLayerSettings) {
  auto const plan = layer_settings(own_deck(), {{"V", 3, 4}, {"U", 4, 3}});
  ASSERT_EQ(plan.settings.size(), 2u);
  EXPECT_EQ(plan.group, (std::vector<std::string>{"factors", "factors"}));
  EXPECT_EQ(plan.settings[1].lmo.norm, "row");
  EXPECT_EQ(plan.settings[1].radius, 0.5);
  EXPECT_EQ(plan.settings[1].uplink, "top:0.1");
  EXPECT_EQ(plan.settings[1].downlink, "identity");
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("idle"), std::string::npos);
  EXPECT_THROW(layer_settings(own_deck(), {{"W", 3, 4}}), UsageError);
  auto const o = optimizer_settings(own_deck());
  EXPECT_EQ(o.workers, 3);
  EXPECT_EQ(o.start, Start::zero);
  EXPECT_FALSE(o.adaptive);
}

}  // namespace
}  // namespace kaon
