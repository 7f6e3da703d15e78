// Names, scales and costs.
#include <kaon/lmo/lmo.hpp>
#include <kaon/support/traps.hpp>

#include <kaon/core/error.hpp>
#include <kaon/lmo/norms.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace kaon {
namespace settings_test {

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
  for (auto const* norm : {"nuclear", "schatten", "ky-fan", "dual-ky-fan"}) {
    EXPECT_DOUBLE_EQ(lmo_scale(norm, "rms", 8, 32), 0.5);
    EXPECT_DOUBLE_EQ(lmo_scale(norm, "muon", 32, 8), 2);
    EXPECT_DOUBLE_EQ(lmo_scale(norm, "moonlight", 100, 9), 2);
  }
  for (auto const* norm : {"l1", "one-to-one", "inf-to-inf"}) EXPECT_DOUBLE_EQ(lmo_scale(norm, "input", 9, 100), 0.01);
}

bool means_something(std::string const& norm, std::string const& scale) {
  if (norm == "max-abs" || norm == "odd") return scale != "rms";
  if (norm == "l1" || norm == "one-to-one" || norm == "inf-to-inf") return scale == "none" || scale == "input";
  return true;
}

TEST(LmoScale, WhatMeansNothingIsRefused) {
  for (auto const& norm : lmo_norms())
    for (auto const& scale : lmo_scales()) {
      auto const message = message_of([&] { lmo_scale(norm, scale, 6, 10); });
      EXPECT_EQ(message.empty(), means_something(norm, scale)) << norm << " " << scale;
      if (!message.empty()) {
        EXPECT_NE(message.find(norm), std::string::npos);
        EXPECT_NE(message.find("input"), std::string::npos);
      }
    }
}

TEST(LmoSettings, UnknownNamesAreUsageErrorsThatNameTheKnownOnes) {
  LmoSettings s;
  s.norm = "trace";
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
  kaon::test::Untrapped const untrapped;
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

TEST(LmoSettings, EveryNormTakesTheScalesThatMeanSomething) {
  for (auto const& norm : lmo_norms())
    for (auto const& scale : lmo_scales()) {
      if (!means_something(norm, scale)) continue;
      LmoSettings s;
      s.norm = norm;
      s.scale = scale;
      s.factor = 3;
      EXPECT_DOUBLE_EQ((make_lmo<double, Exec>(s, 6, 10)->scale()), 3 * lmo_scale(norm, scale, 6, 10)) << norm << " " << scale;
    }
}

TEST(LmoSettings, RangesOfSchattenKyFanAndBlocks) {
  kaon::test::Untrapped const untrapped;
  LmoSettings s;
  s.norm = "schatten";
  for (double const p : {1.0, 1.009, 1001.0, -2.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    s.p = p;
    EXPECT_NE(message_of([&] { make_lmo<float, Exec>(s, 4, 4); }).find("p must lie"), std::string::npos) << p;
  }
  for (double const p : {1.01, 2.0, 1000.0}) {
    s.p = p;
    EXPECT_NO_THROW((make_lmo<float, Exec>(s, 4, 4)));
  }
  for (auto const* norm : {"ky-fan", "dual-ky-fan"}) {
    s = {};
    s.norm = norm;
    for (int const k : {0, -1, 5}) {
      s.k = k;
      EXPECT_NE(message_of([&] { make_lmo<float, Exec>(s, 4, 6); }).find("k must lie in 1 ... 4"), std::string::npos) << k;
    }
    s.k = 4;
    EXPECT_NO_THROW((make_lmo<float, Exec>(s, 4, 6)));
    s.row_blocks = 2;
    EXPECT_THROW((make_lmo<float, Exec>(s, 4, 6)), UsageError);
  }
  s = {};
  s.col_blocks = 4;
  EXPECT_NE(message_of([&] { make_lmo<float, Exec>(s, 4, 6); }).find("col_blocks"), std::string::npos);
  s.col_blocks = 3;
  EXPECT_EQ((make_lmo<float, Exec>(s, 4, 6)->cols()), 6);
}

TEST(SingularWeights, LieOnTheBallAndReachTheDualNorm) {
  std::vector<double> const s{5, 3, 1, 0};
  LmoSettings settings;
  auto const weights = [&](char const* norm, double p, int k) {
    settings.norm = norm, settings.p = p, settings.k = k;
    return singular_weights(settings, s);
  };
  auto const V = [](double a, double b, double c, double d) {
    std::vector<double> v;
    for (double const x : {a, b, c, d}) v.push_back(x);
    return v;
  };
  EXPECT_EQ(weights("spectral", 2, 1), V(1, 1, 1, 0));
  EXPECT_EQ(weights("nuclear", 2, 1), V(1, 0, 0, 0));
  EXPECT_EQ(weights("dual-ky-fan", 2, 2), V(1, 1, 0, 0));
  EXPECT_EQ(weights("ky-fan", 2, 1), V(1, 1, 1, 0));                   // 9/1 > 5
  EXPECT_EQ(weights("ky-fan", 2, 2), V(1, 0, 0, 0));                   // 9/2 < 5
  EXPECT_EQ(singular_weights(settings, {3, 2, 1, 0}), V(1, 0, 0, 0));  // 6/2 = 3: a tie goes to the first value
  for (double const p : {1.01, 1.5, 2.0, 3.0, 1000.0}) {
    auto const w = weights("schatten", p, 1);
    double const q = p / (p - 1);
    double norm = 0, dual = 0, inner = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      norm += std::pow(w[i], p);
      dual += std::pow(s[i] / 5, q);
      inner += w[i] * s[i];
    }
    EXPECT_NEAR(std::pow(norm, 1 / p), 1, 1e-13) << p;
    EXPECT_NEAR(inner / (5 * std::pow(dual, 1 / q)), 1, 1e-13) << p;
    EXPECT_EQ(w[3], 0);
  }
  EXPECT_THROW(singular_weights(settings, {0, 0}), std::invalid_argument);
}

TEST(LmoCost, SingularValuesAndBlocksOfColumns) {
  LmoSettings s;
  s.norm = "nuclear";
  double const whole = lmo_cost(s, 96, 96);
  s.col_blocks = 4;
  EXPECT_LT(lmo_cost(s, 96, 96), whole);
  s = {};
  s.polar.exact = true;
  EXPECT_EQ(lmo_cost(s, 96, 96), whole);
  s = {};
  s.norm = "ky-fan";
  s.k = 100;
  EXPECT_THROW(lmo_cost(s, 96, 96), UsageError);
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
  EXPECT_LT(lmo_cost(s, 96, 32), whole / 50);
}

}  // namespace settings_test
}  // namespace kaon
