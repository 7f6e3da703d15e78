#include <kaon/core/error.hpp>
#include <kaon/optimizer/schedule.hpp>
#include <kaon/support/traps.hpp>

#include <gtest/gtest.h>

#include <cmath>

namespace kaon {
namespace schedule_test {

TEST(Schedule, ConstantAndAdaptiveAreOne) {
  for (auto const* kind : {"constant", "adaptive"}) {
    Schedule const s(kind, 100, 0.5);
    for (std::uint64_t k : {0, 50, 99, 1000}) EXPECT_EQ(s.multiplier(k), 1.0);
    EXPECT_EQ(s.adaptive(), std::string(kind) == "adaptive");
  }
}

TEST(Schedule, LinearIsFlatThenReachesZeroAfterTheLastStep) {
  Schedule const s("linear", 100, 0.6);
  for (std::uint64_t k = 0; k < 60; ++k) EXPECT_EQ(s.multiplier(k), 1.0);
  EXPECT_DOUBLE_EQ(s.multiplier(80), 0.5);
  EXPECT_GT(s.multiplier(99), 0.0);
  EXPECT_EQ(s.multiplier(100), 0.0);
  EXPECT_EQ(s.multiplier(200), 0.0);
  for (std::uint64_t k = 0; k < 100; ++k) EXPECT_GE(s.multiplier(k), s.multiplier(k + 1));
}

TEST(Schedule, HorizonPowers) {
  EXPECT_DOUBLE_EQ(Schedule("inverse-sqrt", 99, 0).multiplier(3), 0.1);
  EXPECT_DOUBLE_EQ(Schedule("inverse-three-quarters", 9999, 0).multiplier(3), 1e-3);
}

TEST(Schedule, RefusesWhatItDoesNotKnow) {
  kaon::test::Untrapped const untrapped;
  EXPECT_THROW(Schedule("cosine", 10, 0.5), UsageError);
  EXPECT_THROW(Schedule("linear", 10, 1.5), UsageError);
  EXPECT_THROW(Schedule("linear", 10, std::nan("")), UsageError);
}

}  // namespace schedule_test
}  // namespace kaon
