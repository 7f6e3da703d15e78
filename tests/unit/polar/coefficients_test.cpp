// The generator against the published tables, and every set against its worst error on a logarithmic grid (method.md §6).
#include <kaon/polar/coefficients.hpp>

#include <kaon/core/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

namespace kaon {
namespace coefficients_test {

/// max |p(σ) − 1| over [lower, 1].
double sampled_error(std::vector<Triple> const& table, double lower) {
  double worst = 0;
  int const points = 20000;
  for (int i = 0; i <= points; ++i) {
    double const sigma = std::pow(lower, 1 - static_cast<double>(i) / points);
    worst = std::max(worst, std::fabs(polar_map(table, sigma) - 1));
  }
  return worst;
}

void expect_table(std::vector<Triple> const& made, std::vector<Triple> const& published, double tolerance, char const* what) {
  ASSERT_EQ(made.size(), published.size());
  double worst = 0;
  for (std::size_t i = 0; i < made.size(); ++i)
    worst = std::max({worst, std::fabs(made[i].a - published[i].a), std::fabs(made[i].b - published[i].b),
                      std::fabs(made[i].c - published[i].c)});
  std::printf("%s: largest difference from the published digits %.2e (tolerance %.0e)\n", what, worst, tolerance);
  EXPECT_LE(worst, tolerance) << what;
}

TEST(Coefficients, PolarExpressFiveTermsArePublished) {
  expect_table(polar_coefficients("polar-express", 5),
               {{8.156554524902461, -22.48329292557795, 15.878769915207462},
                {4.042929935166739, -2.808917465908714, 0.5000178451051316},
                {3.8916678022926607, -2.772484153217685, 0.5060648178503393},
                {3.285753657755655, -2.3681294933425376, 0.46449024233003106},
                {2.3465413258596377, -1.7097828382687081, 0.42323551169305323}},
               1e-9, "Polar Express 5");
}

TEST(Coefficients, PolarExpressEightTermsArePublished) {
  expect_table(polar_coefficients("polar-express", 8),
               {{8.28721201814563, -23.595886519098837, 17.300387312530933},
                {4.107059111542203, -2.9478499167379106, 0.5448431082926601},
                {3.9486908534822946, -2.908902115962949, 0.5518191394370137},
                {3.3184196573706015, -2.488488024314874, 0.51004894012372},
                {2.300652019954817, -1.6689039845747493, 0.4188073119525673},
                {1.891301407787398, -1.2679958271945868, 0.37680408948524835},
                {1.8750014808534479, -1.2500016453999487, 0.3750001645474248},
                {1.875, -1.25, 0.375}},
               1e-8, "Polar Express 8");  // the published last steps are rounded: their interval is [1, 1 + 1e-9]
}

TEST(Coefficients, CansFiveTermsArePublished) {
  std::vector<Triple> const published = {{8.4703, -25.1081, 18.6293},
                                         {4.1828, -3.1087, 0.5806},
                                         {3.9619, -2.9541, 0.5630},
                                         {3.2866, -2.4647, 0.5074},
                                         {2.2737, -1.6447, 0.4162}};
  expect_table(polar_coefficients("cans", 5), published, 5.01e-5, "CANS 5");  // published to four decimals
  double const rounded = sampled_error(published, 1e-3), full = sampled_error(polar_coefficients("cans", 5), 1e-3);
  std::printf("CANS 5: worst error %.4f, and %.4f with the rounded digits (table 0.120)\n", full, rounded);
  EXPECT_NEAR(rounded, 0.120, 0.001);
  EXPECT_LE(full, rounded);
}

TEST(Coefficients, WorstErrorsAreThoseOfTheTable) {
  struct Row {
    char const* set;
    int steps;
    double at3, at2, slack;
  };
  for (auto const& r :
       {Row{"muon", 5, 0.53, 0.32, 0.01}, Row{"you", 5, 0.525, 0.032, 0.001}, Row{"polar-express", 5, 0.141, 0.141, 0.001},
        Row{"cans", 5, 0.1134, 0.1134, 1e-4}, Row{"polar-express", 8, 0, 0, 1e-4}}) {
    auto const table = polar_coefficients(r.set, r.steps);
    double const e3 = sampled_error(table, 1e-3), e2 = sampled_error(table, 1e-2);
    std::printf("%-14s %d steps: worst error %.4g on [1e-3, 1] (table %.3g), %.4g on [1e-2, 1] (table %.3g)\n", r.set, r.steps,
                e3, r.at3, e2, r.at2);
    EXPECT_NEAR(e3, r.at3, r.slack) << r.set;
    EXPECT_NEAR(e2, r.at2, r.slack) << r.set;
  }
}

TEST(Coefficients, MoreStepsAreNeverWorseAndConverge) {
  for (std::string const set : {"cans", "polar-express"}) {
    double before = 1;
    for (int steps = 1; steps <= 10; ++steps) {
      double const e = sampled_error(polar_coefficients(set, steps), 1e-3);
      // The step from 5 to 6 changes polar-express's safeguards, in its favour.
      EXPECT_LE(e, before + 1e-12) << set << " with " << steps;
      before = e;
    }
    EXPECT_LE(before, 1e-12) << set;
  }
}

TEST(Coefficients, MinimaxErrorEquioscillatesAtFourPoints) {
  for (auto const& [l, u] : {std::pair{1e-3, 1.0}, {0.02, 1.0}, {0.3, 1.7}, {0.9, 1.1}, {0.99, 1.01}}) {
    Triple const p = minimax_quintic(l, u);
    double const e = 1 - p(l);
    EXPECT_NEAR(p(u) - 1, e, 1e-12) << l;
    double low = 2, high = 0;
    for (int i = 0; i <= 100000; ++i) {
      double const v = p(l + (u - l) * i / 100000);
      low = std::min(low, v);
      high = std::max(high, v);
    }
    EXPECT_NEAR(1 - low, e, 1e-8) << l;
    EXPECT_NEAR(high - 1, e, 1e-8) << l;
  }
  Triple const limit = minimax_quintic(1, 1);
  EXPECT_EQ(limit.a, 1.875);
  EXPECT_EQ(limit.b, -1.25);
  EXPECT_EQ(limit.c, 0.375);
}

TEST(Coefficients, UnknownSettingsNameTheKnownOnes) {
  try {
    polar_coefficients("polar-expres", 5);
    FAIL();
  } catch (UsageError const& e) {
    for (auto const& name : polar_sets()) EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << name;
  }
  EXPECT_THROW(polar_coefficients("you", 4), UsageError);
  EXPECT_THROW(polar_coefficients("muon", 0), UsageError);
  EXPECT_THROW(minimax_composition(3, 0, 0, 1), std::invalid_argument);
  EXPECT_THROW(minimax_composition(3, 1e-3, 0, 0.9), std::invalid_argument);
  EXPECT_THROW(minimax_quintic(0.5, 0.4), std::invalid_argument);
  for (auto const& name : polar_sets()) EXPECT_EQ(polar_coefficients(name, 5).size(), 5u);
}

}  // namespace coefficients_test
}  // namespace kaon
