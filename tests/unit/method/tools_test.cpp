// Layers share an oracle's workspace when, and only when, nothing that the oracle does can differ.
#include <kaon/method/tools.hpp>

#include <gtest/gtest.h>

#include <functional>

namespace kaon {
namespace tools_test {

LayerSettings base() {
  LayerSettings s;
  s.lmo.norm = "spectral";
  s.radius = 0.1;
  return s;
}

Tools<float> tools_of(LayerSettings const& a, LayerSettings const& b, Layer const& second = {"b", 12, 16}) {
  return Tools<float>({{"a", 12, 16}, second}, {a, b}, std::vector<bool>{true, true});
}

TEST(Tools, EqualSettingsAndShapesShare) {
  auto other = base();
  other.radius = 0.2;  // the step's, not the oracle's
  other.beta = 0.5;
  auto tools = tools_of(base(), other);
  EXPECT_EQ(&tools.lmo(0), &tools.lmo(1));
  EXPECT_EQ(&tools.uplink(0), &tools.uplink(1));
  auto reshaped = tools_of(base(), base(), {"b", 16, 12});
  EXPECT_NE(&reshaped.lmo(0), &reshaped.lmo(1));
  EXPECT_NE(&reshaped.uplink(0), &reshaped.uplink(1));
}

TEST(Tools, AnythingThatChangesTheOracleKeepsThemApart) {
  std::pair<char const*, std::function<void(LmoSettings&)>> const changes[] = {
      {"norm", [](LmoSettings& s) { s.norm = "row"; }},
      {"scale", [](LmoSettings& s) { s.scale = "muon"; }},
      {"factor", [](LmoSettings& s) { s.factor = 2; }},
      {"row_blocks", [](LmoSettings& s) { s.row_blocks = 2; }},
      {"col_blocks", [](LmoSettings& s) { s.col_blocks = 2; }},
      {"p", [](LmoSettings& s) { s.p = 3; }},
      {"k", [](LmoSettings& s) { s.k = 2; }},
      {"set", [](LmoSettings& s) { s.polar.set = "muon"; }},
      {"steps", [](LmoSettings& s) { s.polar.steps = 6; }},
      {"exact", [](LmoSettings& s) { s.polar.exact = true; }},
      {"qdwh", [](LmoSettings& s) { s.polar.qdwh = true; }},
      {"form", [](LmoSettings& s) { s.polar.form = "standard"; }},
      {"scaling", [](LmoSettings& s) { s.polar.scaling = "spectral"; }},
      {"tolerance", [](LmoSettings& s) { s.polar.tolerance = 0.1; }},
      {"lower", [](LmoSettings& s) { s.polar.lower = 0.01; }},
      {"half", [](LmoSettings& s) { s.polar.half = true; }},
  };
  for (auto const& [name, change] : changes) {
    auto other = base();
    change(other.lmo);
    EXPECT_FALSE(other.lmo == base().lmo) << name;
    auto tools = tools_of(base(), other);
    EXPECT_NE(&tools.lmo(0), &tools.lmo(1)) << name;
  }
}

TEST(Tools, CompressorsAreApartByTheirSpec) {
  auto other = base();
  other.uplink = "top:0.1+natural:coded";
  other.downlink = "bits:2";
  auto tools = tools_of(base(), other);
  EXPECT_EQ(tools.uplink(1).spec(), "top:0.1+natural:coded");
  EXPECT_EQ(tools.downlink(1).spec(), "bits:2:block=256");
  EXPECT_EQ(tools.uplink(0).spec(), "identity");
  EXPECT_EQ(&tools.dense(0), &tools.dense(1));
}

}  // namespace tools_test
}  // namespace kaon
