#include <kaon/core/error.hpp>
#include <kaon/step/schedule.hpp>
#include <kaon/support/traps.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace kaon {
namespace schedule_test {

Schedule made(std::string const& kind, std::uint64_t steps, double constant_fraction, double floor = 0,
              std::uint64_t warmup = 0) {
  return Schedule(ScheduleSettings{kind, steps, constant_fraction, floor, warmup});
}

TEST(Schedule, ConstantAndAdaptiveAreOne) {
  for (auto const* kind : {"constant", "adaptive"}) {
    auto const s = made(kind, 100, 0.5);
    for (std::uint64_t k : {0, 50, 99, 1000}) EXPECT_EQ(s.multiplier(k), 1.0);
    EXPECT_EQ(s.adaptive(), std::string(kind) == "adaptive");
  }
}

TEST(Schedule, LinearIsFlatThenReachesZeroAfterTheLastStep) {
  auto const s = made("linear", 100, 0.6);
  for (std::uint64_t k = 0; k < 60; ++k) EXPECT_EQ(s.multiplier(k), 1.0);
  EXPECT_DOUBLE_EQ(s.multiplier(80), 0.5);
  EXPECT_GT(s.multiplier(99), 0.0);
  EXPECT_EQ(s.multiplier(100), 0.0);
  EXPECT_EQ(s.multiplier(200), 0.0);
  for (std::uint64_t k = 0; k < 100; ++k) EXPECT_GE(s.multiplier(k), s.multiplier(k + 1));
}

TEST(Schedule, HorizonPowers) {
  EXPECT_DOUBLE_EQ(made("inverse-sqrt", 99, 0).multiplier(3), 0.1);
  EXPECT_DOUBLE_EQ(made("inverse-three-quarters", 9999, 0).multiplier(3), 1e-3);
}

TEST(Schedule, CosineFallsFromOneToTheFloor) {
  auto const s = made("cosine", 100, 0.2, 0.1);
  for (std::uint64_t k = 0; k <= 20; ++k) EXPECT_DOUBLE_EQ(s.multiplier(k), 1.0);
  EXPECT_DOUBLE_EQ(s.multiplier(60), 0.55);
  EXPECT_DOUBLE_EQ(s.multiplier(40), 0.1 + 0.9 * (1 + std::cos(M_PI / 4)) / 2);
  EXPECT_NEAR(s.multiplier(100), 0.1, 1e-15);
  EXPECT_NEAR(s.multiplier(1000), 0.1, 1e-15);
  for (std::uint64_t k = 0; k < 100; ++k) EXPECT_GE(s.multiplier(k), s.multiplier(k + 1));
  EXPECT_DOUBLE_EQ(made("linear", 100, 0.5, 0.2).multiplier(75), 0.6);
}

TEST(Schedule, AWarmUpGrowsToTheSchedule) {
  for (auto const* kind : {"constant", "linear", "cosine", "inverse-sqrt", "inverse-three-quarters", "adaptive"}) {
    auto const s = made(kind, 100, 0.0, 0, 9), without = made(kind, 100, 0.0);
    for (std::uint64_t k = 0; k < 9; ++k)
      EXPECT_DOUBLE_EQ(s.multiplier(k), (static_cast<double>(k) + 1) / 10 * without.multiplier(0)) << kind << " " << k;
    EXPECT_DOUBLE_EQ(s.multiplier(9), without.multiplier(0)) << kind;
    double most = 0;
    for (std::uint64_t k = 0; k < 100; ++k) most = std::max(most, s.multiplier(k));
    EXPECT_EQ(s.largest(100), most) << kind;
    EXPECT_EQ(s.multiplier(100), std::string(kind) == "linear" ? 0 : s.multiplier(100)) << kind;
  }
  EXPECT_DOUBLE_EQ(made("linear", 100, 0.0, 0, 20).multiplier(60), 0.5) << "80 steps of falling";
}

TEST(Schedule, TakesAFunctionOfTheCallers) {
  Schedule const s([](std::uint64_t k) { return k == 7 ? 3.0 : 0.5; });
  EXPECT_EQ(s.multiplier(6), 0.5);
  EXPECT_EQ(s.largest(7), 0.5);
  EXPECT_EQ(s.largest(8), 3.0);
  EXPECT_FALSE(s.adaptive());
  EXPECT_TRUE(Schedule([](std::uint64_t) { return 1.0; }, true).adaptive());
  EXPECT_THROW(Schedule([](std::uint64_t) { return -1.0; }).multiplier(0), UsageError);
  EXPECT_THROW(Schedule([](std::uint64_t) { return std::nan(""); }).multiplier(0), UsageError);
}

TEST(Schedule, RefusesWhatItDoesNotKnow) {
  kaon::test::Untrapped const untrapped;
  EXPECT_THROW(made("cosines", 10, 0.5), UsageError);
  EXPECT_THROW(made("linear", 10, 1.5), UsageError);
  EXPECT_THROW(made("linear", 10, std::nan("")), UsageError);
  EXPECT_THROW(made("cosine", 10, 0, 1.5), UsageError);
  EXPECT_THROW(made("constant", 10, 0, 0, 10), UsageError);
  EXPECT_NO_THROW(made("constant", 10, 0, 0, 9));
}

}  // namespace schedule_test
}  // namespace kaon
