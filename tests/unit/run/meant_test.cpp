#include <kaon/core/error.hpp>
#include <kaon/run/start/meant.hpp>
#include <kaon/support/texts.hpp>

#include <gtest/gtest.h>

#include <string>

namespace kaon {
namespace {

using test::expect_parts;

std::vector<Layer> const layers{{"a", 8, 4}, {"b", 4, 4}};

template <class T>
std::vector<std::string> check(std::string const& group, std::string const& rest = "", std::string const& steps = "99") {
  auto const deck = Deck::from_text("[run]\nsteps = " + steps + "\n[objective]\nkind = own\n" + rest +
                                        (rest.find("[optimizer]") == std::string::npos ? "[optimizer]\n" : "") +
                                        "workers = 1\n[group.g]\nlayers = *\n" + group,
                                    "own deck");
  return check_meant<T>(deck, make_schedule(deck), layer_settings(deck, layers), layers);
}

template <class T>
std::string refusal(std::string const& group, std::string const& rest = "", std::string const& steps = "99") {
  try {
    check<T>(group, rest, steps);
  } catch (UsageError const& e) {
    return e.what();
  }
  return "";
}

TEST(Meant, DecayMayNotTurnSigns) {
  expect_parts(refusal<float>("radius = 0.02\nweight_decay = 100\n"),
               {"own deck:10: group.g.weight_decay = 100", "t weight_decay = 2 > 1", "at most 50"});
  EXPECT_EQ(refusal<float>("radius = 0.02\nweight_decay = 50\n"), "") << "t weight_decay = 1: X is t Z";
  expect_parts(refusal<double>("radius = 3\nweight_decay = 0.34\n"), {"at most 0.333"});
  // With a warm-up the largest t is not the first one.
  std::string const warm = "[optimizer]\nwarmup_steps = 9\n";
  expect_parts(refusal<float>("radius = 0.02\nweight_decay = 51\n", warm), {"t weight_decay = 1.02 > 1", "at most 50"});
  expect_parts(refusal<float>("radius = 0.02\n", "[optimizer]\nwarmup_steps = 99\n"),
               {"optimizer.warmup_steps", "a warm-up of 99 steps", "the run's 99"});
  // Without one it is.
  std::string const tenth = "[optimizer]\nschedule = inverse-sqrt\n";
  EXPECT_EQ(refusal<float>("radius = 0.02\nweight_decay = 500\n", tenth), "");
  expect_parts(refusal<float>("radius = 0.02\nweight_decay = 501\n", tenth), {"at most 500"});
  expect_parts(refusal<float>("radius = 0.02\nweight_decay = 51\n", "[optimizer]\nschedule = linear\nconstant_fraction = 0\n"),
               {"at most 50"});
  EXPECT_EQ(refusal<float>("radius = 5\nweight_decay = 51\n", "[optimizer]\nschedule = adaptive\n"), "") << "t is not known yet";
}

TEST(Meant, TheConstrainedFormNeedsTOfAtMostOne) {
  std::string const form = "[optimizer]\nform = constrained\nschedule = inverse-sqrt\n";
  EXPECT_EQ(refusal<float>("radius = 10\n", form), "");
  expect_parts(refusal<float>("radius = 11\n", form), {"own deck:", "group.g.radius = 11", "t reaches 1.1", "at most 10"});
}

TEST(Meant, WhatThePrecisionCannotHold) {
  expect_parts(refusal<float>("radius = 1e37\n"), {"group.g.radius = 1e+37 (precision float)", "layer a", "3.40282e+38"});
  EXPECT_EQ(refusal<double>("radius = 1e37\n"), "");
  EXPECT_EQ(refusal<float>("radius = 1e37\n", "", "9"), "") << "few steps: only the numbers can tell";
  expect_parts(refusal<double>("radius = 1e307\n"), {"precision double", "1.79769e+308"});
  expect_parts(refusal<float>("radius = 1e35\nfactor = 100\n"), {"ball of 100"});
  expect_parts(refusal<float>("radius = 1e-46\n"), {"group.g.radius", "zero in this precision"});
  EXPECT_EQ(refusal<float>("radius = 1e-44\n"), "");
  EXPECT_EQ(refusal<double>("radius = 1e-46\n"), "");
  expect_parts(refusal<float>("radius = 1\nfactor = 1e-46\n"), {"group.g.factor", "layer a", "zero"});
  expect_parts(refusal<float>("radius = 1e-5\nfactor = 1e39\n"), {"group.g.factor", "infinite"});
  expect_parts(refusal<float>("radius = 1\nbeta = 1e-46\n"), {"group.g.beta", "zero in this precision"});
  expect_parts(refusal<float>("radius = 1\nfactor = 1e-46\n", "[optimizer]\nschedule = adaptive\n"), {"group.g.factor"});
}

TEST(Meant, WhatIsRoundedAwayIsAWarning) {
  EXPECT_TRUE(check<float>("radius = 0.02\nweight_decay = 0.1\n").empty());
  auto const lines = check<float>("radius = 1e-4\nweight_decay = 1e-4\n");
  ASSERT_EQ(lines.size(), 1u) << "once for both layers of the group";
  expect_parts(lines[0], {"group.g.weight_decay = 0.0001", "no effect", "precision float"});
  EXPECT_TRUE(check<double>("radius = 1e-4\nweight_decay = 1e-4\n").empty());
  expect_parts(check<float>("radius = 1\nbeta = 1e-9\n").at(0), {"group.g.beta = 1e-09", "never forgets"});
  EXPECT_TRUE(check<double>("radius = 1\nbeta = 1e-9\n").empty());
}

}  // namespace
}  // namespace kaon
