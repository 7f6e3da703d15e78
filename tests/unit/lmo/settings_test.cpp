// Names, scales and costs.
#include <kaon/lmo/lmo.hpp>

#include <kaon/core/error.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace kaon {
namespace {

using Exec = Kokkos::DefaultHostExecutionSpace;

template <class F>
std::string message_of(F const& f) {
  try {
    f();
  } catch (UsageError const& e) {
    return e.what();
  }
  return "";
}

TEST(LmoScale, FormulasOfTheTable) {
  EXPECT_EQ(lmo_scale("spectral", "none", 5, 7), 1);
  EXPECT_DOUBLE_EQ(lmo_scale("spectral", "muon", 32, 8), 2);
  EXPECT_DOUBLE_EQ(lmo_scale("spectral", "muon", 8, 32), 1);
  EXPECT_DOUBLE_EQ(lmo_scale("spectral", "rms", 8, 32), 0.5);
  EXPECT_DOUBLE_EQ(lmo_scale("spectral", "rms", 32, 8), 2);
  EXPECT_DOUBLE_EQ(lmo_scale("frobenius", "rms", 32, 8), 2);
  EXPECT_DOUBLE_EQ(lmo_scale("spectral", "moonlight", 100, 9), 2);
  EXPECT_DOUBLE_EQ(lmo_scale("spectral", "moonlight", 9, 100), 2);
  EXPECT_DOUBLE_EQ(lmo_scale("max-abs", "input", 9, 100), 0.01);
  EXPECT_DOUBLE_EQ(lmo_scale("column", "rms", 9, 100), 3);
  EXPECT_DOUBLE_EQ(lmo_scale("row", "rms", 9, 100), 0.1);
}

TEST(LmoSettings, UnknownNamesAreUsageErrorsThatNameTheKnownOnes) {
  LmoSettings s;
  s.norm = "nuclear";
  auto const norm = message_of([&] { make_lmo<float, Exec>(s, 4, 4); });
  for (auto const& name : lmo_norms()) EXPECT_NE(norm.find(name), std::string::npos) << norm;
  s = {};
  s.scale = "mup";
  auto const scale = message_of([&] { make_lmo<float, Exec>(s, 4, 4); });
  for (auto const& name : lmo_scales()) EXPECT_NE(scale.find(name), std::string::npos) << scale;
  s = {};
  s.polar.set = "newton";
  EXPECT_NE(message_of([&] { make_lmo<float, Exec>(s, 4, 4); }).find("polar-express"), std::string::npos);
  EXPECT_NE(message_of([&] { lmo_scale("max-abs", "rms", 4, 4); }).find("input"), std::string::npos);
}

TEST(LmoSettings, BadNumbersAreUsageErrors) {
  LmoSettings s;
  s.row_blocks = 3;
  EXPECT_NE(message_of([&] { make_lmo<float, Exec>(s, 4, 4); }).find("row_blocks"), std::string::npos);
  s.row_blocks = 0;
  EXPECT_THROW((make_lmo<float, Exec>(s, 4, 4)), UsageError);
  s = {};
  for (double const factor : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    s.factor = factor;
    EXPECT_THROW((make_lmo<float, Exec>(s, 4, 4)), UsageError) << factor;
    EXPECT_THROW(lmo_cost(s, 4, 4), UsageError) << factor;
  }
}

TEST(LmoSettings, EveryNormTakesEveryScaleButOne) {
  for (auto const& norm : lmo_norms())
    for (auto const& scale : lmo_scales()) {
      if (norm == "max-abs" && scale == "rms") continue;
      LmoSettings s;
      s.norm = norm;
      s.scale = scale;
      s.factor = 3;
      EXPECT_DOUBLE_EQ((make_lmo<double, Exec>(s, 6, 10)->scale()), 3 * lmo_scale(norm, scale, 6, 10)) << norm << " " << scale;
    }
}

TEST(LmoCost, SpectralIsDearAndBlocksAreCheaper) {
  LmoSettings s;
  double const whole = lmo_cost(s, 96, 32);
  s.row_blocks = 3;
  double const blocks = lmo_cost(s, 96, 32);
  EXPECT_DOUBLE_EQ(whole, polar_cost(s.polar, 96, 32));
  EXPECT_DOUBLE_EQ(blocks, 3 * polar_cost(s.polar, 32, 32));
  s = {};
  s.norm = "max-abs";
  EXPECT_LT(lmo_cost(s, 96, 32), whole / 100);
}

}  // namespace
}  // namespace kaon
