#include <kaon/run/saving/save_policy.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace kaon {
namespace {

constexpr double minute = 60, hour = 3600, never = std::numeric_limits<double>::infinity();

// The three figures that Daly's paper (2006, figures 3 to 5) gives for its formula: a dump of 5 minutes.
TEST(OptimalInterval, IsDalys) {
  EXPECT_NEAR(optimal_interval(5 * minute, 24 * hour) / minute, 117, 0.5);
  EXPECT_NEAR(optimal_interval(5 * minute, 6 * hour) / minute, 57, 0.5);
  EXPECT_NEAR(optimal_interval(5 * minute, 15 * minute) / minute, 9.1, 0.05);
}

TEST(OptimalInterval, IsYoungsForACheapCheckpoint) {
  for (double cost : {1e-3, 0.1, 1.0}) {
    double const young = std::sqrt(2 * cost * 24 * hour);
    EXPECT_NEAR(optimal_interval(cost, 24 * hour) / young, 1, 0.003) << cost;
  }
  EXPECT_EQ(optimal_interval(0, hour), 0);
}

TEST(OptimalInterval, OfACheckpointThatCostsMoreThanTheTimeBetweenFailures) {
  EXPECT_EQ(optimal_interval(2 * hour, hour), hour);
  EXPECT_EQ(optimal_interval(9 * hour, hour), hour);
  EXPECT_NEAR(optimal_interval(1.99 * hour, hour), hour, 0.2 * hour) << "no jump";
  EXPECT_THROW(optimal_interval(1, 0), std::invalid_argument);
}

// The time lost is C/(T+C) for checkpoints and about (T/2)/M for work done again: no other interval loses less of it.
TEST(OptimalInterval, LosesTheLeast) {
  for (double cost : {0.5, 20.0, 300.0}) {
    double const M = 24 * hour, best = optimal_interval(cost, M);
    auto const factor = [&](double t) { return M * std::expm1((t + cost) / M) / t; };  // Daly's complete cost function, over Ts
    for (double other : {0.5, 0.8, 1.25, 2.0}) EXPECT_LT(factor(best), factor(other * best)) << cost << " " << other;
  }
}

struct SavePolicyTest : ::testing::Test {
  double time = 500;
  WallClock::Now now = [this] { return time; };
};

TEST_F(SavePolicyTest, WithoutRulesNothingIsEverDue) {
  SavePolicy policy({}, 1, now);
  time += 1e9;
  EXPECT_FALSE(policy.due_now());
  EXPECT_FALSE(policy.due_at(0) || policy.due_at(1));
  EXPECT_EQ(policy.interval(), never);
  EXPECT_EQ(policy.forecast(), "");
}

TEST_F(SavePolicyTest, BySteps) {
  SavePolicy policy({.every = 3}, 1, now);
  EXPECT_TRUE(policy.due_at(3) && policy.due_at(6));
  EXPECT_FALSE(policy.due_at(4));
  EXPECT_FALSE(policy.due_now());
  EXPECT_EQ(policy.forecast(), "");
}

TEST_F(SavePolicyTest, ByMinutesFromTheEndOfTheLastSave) {
  SavePolicy policy({.minutes = 2}, 1, now);
  time += 119;
  EXPECT_FALSE(policy.due_now());
  time += 1;
  EXPECT_TRUE(policy.due_now());
  time += 30;
  policy.paid(30);
  EXPECT_FALSE(policy.due_now());
  time += 120;
  EXPECT_TRUE(policy.due_now());
  policy.failed();
  EXPECT_FALSE(policy.due_now()) << "a failed save is tried again when the next one is due";
  EXPECT_EQ(policy.interval(), 120);
}

TEST_F(SavePolicyTest, ByCostIsDecidedAnewAfterEverySave) {
  SavePolicy policy({.mtbf_hours = 24}, 4, now);
  EXPECT_EQ(policy.interval(), optimal_interval(4, 24 * hour)) << "a guess until a save is measured";
  EXPECT_NE(policy.forecast().find("guess"), std::string::npos);
  policy.paid(0.25);
  EXPECT_EQ(policy.interval(), optimal_interval(0.25, 24 * hour));
  EXPECT_EQ(policy.forecast(), "next checkpoint in about 208 s (save cost 0.25 s)");
  policy.paid(100);
  EXPECT_EQ(policy.interval(), optimal_interval(100, 24 * hour)) << "the file system has become slow";
  time += policy.interval();
  EXPECT_TRUE(policy.due_now());
}

TEST_F(SavePolicyTest, EachRuleAsksOnItsOwn) {
  SavePolicy policy({.every = 5, .minutes = 1, .mtbf_hours = 24}, 1, now);
  EXPECT_EQ(policy.interval(), 60) << "minutes come first";
  EXPECT_TRUE(policy.due_at(5));
  policy.paid(1e-3);
  EXPECT_LT(policy.interval(), 60) << "now cost does";
}

TEST_F(SavePolicyTest, NoShorterThanTheWritingBesideTheTrainingTakes) {
  SavePolicy policy({.mtbf_hours = 1}, 1, now);
  policy.paid(1e-3);
  EXPECT_LT(policy.interval(), 3);
  policy.written(40);
  EXPECT_EQ(policy.interval(), 40);
}

}  // namespace
}  // namespace kaon
