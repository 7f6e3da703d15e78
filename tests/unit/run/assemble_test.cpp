#include <kaon/core/error.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/run/start/assemble.hpp>
#include <kaon/run/start/offer_method.hpp>

#include <gtest/gtest.h>

#include <algorithm>

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

TEST(Assemble, EveryKeyOfAGroupReachesItsLayer) {
  auto const deck = Deck::from_text(
      "[run]\nsteps = 5\n[objective]\nkind = own\n[optimizer]\nworkers = 3\n[group.all]\nlayers = *\nradius = 0.5\n"
      "norm = schatten\nschatten_p = 3\nky_fan_k = 2\nscale = muon\nfactor = 0.25\nrow_blocks = 3\ncol_blocks = 2\npolar = "
      "minimax\n"
      "polar_steps = 7\npolar_tolerance = 0.1\npolar_lower = 0.01\npolar_form = gram\npolar_scaling = spectral\npolar_half = "
      "yes\n",
      "own deck");
  auto const lmo = layer_settings(deck, {{"V", 6, 4}}).settings[0].lmo;
  LmoSettings expected;
  expected.norm = "schatten";
  expected.scale = "muon";
  expected.factor = 0.25;
  expected.row_blocks = 3;
  expected.col_blocks = 2;
  expected.p = 3;
  expected.k = 2;
  expected.polar.set = "minimax";
  expected.polar.steps = 7;
  expected.polar.tolerance = 0.1;
  expected.polar.lower = 0.01;
  expected.polar.form = "gram";
  expected.polar.scaling = "spectral";
  expected.polar.half = true;
  EXPECT_TRUE(lmo == expected);
}

// The deck's lists and the library's own are the same: a name that one has and the other lacks would be unreachable or refused
// late.
TEST(Assemble, TheDeckOffersWhatTheLibraryHas) {
  auto const choices = [](char const* name) {
    for (auto const& key : schema())
      if (key.section == "group" && key.name == name) return key.choices;
    return std::vector<std::string>{};
  };
  EXPECT_EQ(choices("norm"), lmo_norms());
  EXPECT_EQ(choices("scale"), lmo_scales());
  EXPECT_EQ(choices("polar_form"), polar_forms());
  EXPECT_EQ(choices("polar_scaling"), polar_scalings());
  auto sets = polar_sets();
  sets.insert(sets.end(), {"exact", "qdwh"});
  EXPECT_EQ(choices("polar"), sets);
  EXPECT_EQ(choices("method"), method_names());
}

TEST(Assemble, AMethodIsAKeyOfAGroup) {
  auto const deck = [](std::string const& more) {
    return Deck::from_text(
        "[run]\nsteps = 2\n[objective]\nkind = own\n[optimizer]\nworkers = 1\n"
        "[group.tables]\nlayers = embed\nmethod = adamw\nradius = 0.001\nadam_beta2 = 0.99\n"
        "[group.rest]\nlayers = *\nradius = 0.02\n" +
            more,
        "methods.deck");
  };
  std::vector<Layer> const layers{{"embed", 9, 4}, {"fc", 4, 4}};
  auto const plan = layer_settings(deck("method = muon\n"), layers);
  EXPECT_EQ(plan.settings[0].method, "adamw");
  EXPECT_EQ(plan.settings[1].method, "muon");
  EXPECT_EQ(plan.settings[0].own.size(), 5u);
  EXPECT_EQ(std::stod(plan.settings[0].own.at("adam_beta2")), 0.99);
  EXPECT_TRUE(plan.settings[1].own.empty());
  EXPECT_TRUE(plan.warnings.empty());
  auto const idle = layer_settings(deck("method = muon\nuplink = bits:4\nadam_beta1 = 0.8\n"), layers).warnings;
  EXPECT_EQ(idle, (std::vector<std::string>{"group.rest.uplink has no effect: it needs method = ef21-muon or adamw",
                                            "group.rest.adam_beta1 has no effect: it needs method = adamw"}));
  auto const dense = layer_settings(deck("method = adamw\nuplink = bits:4\nfeedback = none\n"), layers).warnings;
  EXPECT_EQ(dense, (std::vector<std::string>{
                       "group.rest.uplink has no effect: it needs optimizer.local_steps above 0 with method = adamw",
                       "group.rest.feedback has no effect: it needs optimizer.local_steps above 0 with method = adamw"}));
  auto const text = deck("").resolved();
  EXPECT_EQ(text.find("adam_beta1", text.find("[group.rest]")), std::string::npos) << "another method's own keys are not said";
  EXPECT_NE(text.find("adam_beta1 = 0.9"), std::string::npos);
}

// What a method cannot do is refused by the key that asks for it, not passed over.
TEST(Assemble, AMethodWithoutANormHasNoBallAndNoDualNorm) {
  auto const refusal = [](std::string const& method, std::string const& key) -> std::string {
    auto const deck = Deck::from_text("[run]\nsteps = 2\n[objective]\nkind = own\n[optimizer]\nworkers = 1\n" + key +
                                          "\n[group.all]\nlayers = *\nradius = 0.001\nmethod = " + method + "\n",
                                      "methods.deck");
    try {
      layer_settings(deck, {{"fc", 4, 4}});
    } catch (UsageError const& e) {
      return e.what();
    }
    return "";
  };
  for (std::string const method : {"ef21-muon", "muon"})
    for (auto const* key : {"schedule = adaptive", "form = constrained"}) EXPECT_EQ(refusal(method, key), "") << method;
  auto const adaptive = refusal("adamw", "schedule = adaptive"), constrained = refusal("adamw", "form = constrained");
  EXPECT_EQ(adaptive.rfind("methods.deck:7: optimizer.schedule = adaptive", 0), 0u) << adaptive;
  EXPECT_NE(adaptive.find("group.all.method = adamw"), std::string::npos) << adaptive;
  EXPECT_EQ(constrained.rfind("methods.deck:11: group.all.method = adamw", 0), 0u) << constrained;
}

}  // namespace
}  // namespace kaon
