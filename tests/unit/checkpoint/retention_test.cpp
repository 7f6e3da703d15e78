#include <kaon/checkpoint/retention.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

using Steps = std::vector<std::uint64_t>;
Steps const all{50, 40, 30, 25, 20, 10};

TEST(Retention, TheNewestStay) {
  EXPECT_EQ(retired(all, 2, {}), (Steps{30, 25, 20, 10}));
  EXPECT_EQ(retired(all, 6, {}), Steps{});
  EXPECT_EQ(retired(all, 9, {}), Steps{});
  EXPECT_EQ(retired(all, 0, {}), Steps{}) << "0 keeps all";
}

TEST(Retention, EverySoManiethStepStaysForEver) {
  EXPECT_EQ(retired(all, {2, 20}, {}), (Steps{30, 25, 10}));
  EXPECT_EQ(retired(all, {1, 25}, {}), (Steps{40, 30, 20, 10})) << "those of the newest count among them";
}

TEST(Retention, WhatALinkPointsAtStays) {
  EXPECT_EQ(retired(all, 1, {25, 50}), (Steps{40, 30, 20, 10}));
  EXPECT_EQ(retired(all, {1, 10}, {25}), Steps{});
}

TEST(Retention, OrderIsAgeNotNumber) {
  EXPECT_EQ(retired({15, 10, 30, 20}, 2, {}), (Steps{30, 20})) << "after a restart from step 10";
}

}  // namespace
}  // namespace kaon
