#include <kaon/core/error.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kaon {
namespace {

TEST(Duration, Forms) {
  EXPECT_EQ(parse_duration("01:02:03"), 3723);
  EXPECT_EQ(parse_duration("1:2:3"), 3723);
  EXPECT_EQ(parse_duration("90:00"), 5400) << "minutes may exceed 59 where they come first";
  EXPECT_EQ(parse_duration("100000"), 100000);
  EXPECT_EQ(parse_duration("48:00:00"), 172800);
  EXPECT_EQ(parse_duration("2-03:04:05"), 2 * 86400 + 3 * 3600 + 4 * 60 + 5);
}

TEST(Duration, WhatIsNone) {
  for (auto const* bad : {"", "0", "00:00:00", "1:60", "1:60:00", "1:2:3:4", ":30", "30:", "1::2", "-5", "1.5", "1h", " 5",
                          "1-24:00:00", "1-10", "1-10:00", "-10:00:00", "9999999999", "1:-2"}) {
    try {
      parse_duration(bad);
      ADD_FAILURE() << "accepted '" << bad << "'";
    } catch (UsageError const& e) {
      EXPECT_NE(std::string(e.what()).find(std::string("'") + bad + "'"), std::string::npos) << e.what();
    }
  }
}

TEST(Duration, Format) {
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(59.6), "1:00");
  EXPECT_EQ(format_duration(3723), "1:02:03");
  EXPECT_EQ(format_duration(86400 + 60), "1-00:01:00");
  EXPECT_EQ(format_duration(-3), "0:00");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(format_duration(std::nan("")), "?");
  for (double s : {1.0, 61.0, 3599.0, 3600.0, 86399.0, 86400.0, 1234567.0}) EXPECT_EQ(parse_duration(format_duration(s)), s);
}

struct Fixture : ::testing::Test {
  double time = 1000;  // where a clock starts means nothing
  WallClock::Now now = [this] { return time; };

  void step(WallClock& clock, double seconds) {
    clock.step_begins();
    time += seconds;
    EXPECT_NEAR(clock.step_ends(), seconds, 1e-6);
  }
  void save(WallClock& clock, double seconds) {
    clock.save_begins();
    time += seconds;
    EXPECT_NEAR(clock.save_ends(), seconds, 1e-6);
  }
};
using WallClockTest = Fixture;

TEST_F(WallClockTest, WithoutALimitNeverStops) {
  WallClock clock(std::nullopt, now);
  step(clock, 1e9);
  EXPECT_FALSE(clock.must_stop());
  EXPECT_EQ(clock.remaining(), std::numeric_limits<double>::infinity());
}

TEST_F(WallClockTest, StopsWhenAStepAndASaveMightNotFit) {
  WallClock clock(100.0, now);
  save(clock, 4);
  step(clock, 2);
  double const margin = 1.5 * (2 + 4) + 2;
  EXPECT_DOUBLE_EQ(clock.margin(), margin);
  EXPECT_FALSE(clock.must_stop());
  time = 1000 + 100 - margin - 0.01;
  EXPECT_FALSE(clock.must_stop());
  time += 0.02;
  EXPECT_TRUE(clock.must_stop());
  EXPECT_NEAR(clock.elapsed() + clock.remaining(), 100, 1e-9);
}

TEST_F(WallClockTest, TheLongestOfTheRecentStepsCounts) {
  WallClock clock(1e6, now);
  save(clock, 0);
  step(clock, 50);
  for (std::size_t i = 1; i < WallClock::recent_steps; ++i) step(clock, 1);
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * (50 + 1) + 2);
  step(clock, 1);
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * (1 + 1) + 2) << "the slow one is long ago";
}

TEST_F(WallClockTest, TheLongestSaveCountsForEver) {
  WallClock clock(1e6, now);
  clock.expect_save(7);
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * 7 + 2) << "before a save has been measured";
  save(clock, 3);
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * 3 + 2) << "a measured one replaces the guess";
  save(clock, 5);
  save(clock, 1);
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * 5 + 2);
}

TEST_F(WallClockTest, SavesBesideTheStepsCountAndAStopMayWaitForTwo) {
  WallClock clock(1e6, now);
  clock.expect_saves(2);
  save(clock, 3);
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * (2 * 3) + 2);
  clock.count_save(10);
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * (2 * 10) + 2);
  clock.count_save(1);
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * (2 * 10) + 2) << "the longest counts";
}

TEST_F(WallClockTest, AValidationCountsForEverAndApartFromItsStep) {
  WallClock clock(1e6, now);
  save(clock, 2);
  clock.step_begins();
  time += 3;
  clock.validation_begins();
  time += 40;
  clock.validation_ends();
  EXPECT_NEAR(clock.step_ends(), 3, 1e-6);
  EXPECT_NEAR(clock.margin(), 1.5 * (3 + 40 + 2) + 2, 1e-6);
  for (std::size_t i = 0; i <= WallClock::recent_steps; ++i) step(clock, 1);
  EXPECT_NEAR(clock.margin(), 1.5 * (1 + 40 + 2) + 2, 1e-6);
}

TEST_F(WallClockTest, AQuickSaveMayBeSlowerNextTime) {
  WallClock clock(1e6, now);
  save(clock, 0.1);
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * WallClock::least_save + 2);
}

TEST_F(WallClockTest, AShortLimitKeepsASmallReserve) {
  WallClock clock(5.0, now);
  EXPECT_FALSE(clock.must_stop()) << "margin " << clock.margin();
  EXPECT_DOUBLE_EQ(clock.margin(), 1.5 * 1 + 0.5);
}

// A run of steady steps that obeys the clock saves in time, for any lengths of step and save.
TEST_F(WallClockTest, ObeyingItMeetsTheLimit) {
  for (double step_seconds : {0.1, 3.0, 20.0})
    for (double save_seconds : {0.1, 10.0, 60.0}) {
      WallClock clock(600.0, now);
      clock.expect_save(save_seconds);
      int steps = 0;
      while (!clock.must_stop()) {
        step(clock, step_seconds);
        ++steps;
      }
      save(clock, save_seconds);
      EXPECT_GE(clock.remaining(), 0) << step_seconds << " " << save_seconds;
      EXPECT_LE(clock.remaining(), 1.5 * step_seconds + 1.5 * std::max(save_seconds, 1.0) - save_seconds + 2 + 1e-9)
          << "no more unused than the margin's slack";
      EXPECT_GT(steps, 0);
    }
}

TEST(SteadySeconds, NeverGoesBack) {
  double last = steady_seconds();
  for (int i = 0; i < 1000; ++i) {
    double const t = steady_seconds();
    ASSERT_GE(t, last);
    last = t;
  }
}

}  // namespace
}  // namespace kaon
