#include <kaon/checkpoint/info.hpp>

#include <kaon/core/error.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace {

using kaon::CheckpointInfo;

CheckpointInfo sample() {
  CheckpointInfo i;
  i.step = 7;
  i.workers = 3;
  i.seed = ~std::uint64_t(0);
  i.precision = "float64";
  i.deck = std::string("a = 1\n\nb = \"µ\"\n");
  i.method = "ef21-muon, adamw";
  i.problem = "0123456789abcdef";
  i.version = "0.1.0";
  i.git_hash = "deadbeef";
  i.fingerprint = "OpenMP";
  i.created = "2030-01-01T00:00:00Z";
  i.provenance = {{"hosts", "n1 n2"}, {"empty", ""}};
  return i;
}

TEST(CheckpointInfo, SurvivesPacking) {
  EXPECT_EQ(kaon::unpack(kaon::pack(sample())), sample());
  EXPECT_EQ(kaon::unpack(kaon::pack({})), CheckpointInfo{});
}

TEST(CheckpointInfo, EveryShortenedTextIsRefused) {
  std::string const whole = kaon::pack(sample());
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_THROW(kaon::unpack(whole.substr(0, n)), kaon::InputError) << n;
}

TEST(CheckpointInfo, HashesTellStateFromProvenance) {
  auto const base = sample();
  std::vector<std::function<void(CheckpointInfo&)>> const state{[](auto& i) { ++i.step; },
                                                                [](auto& i) { ++i.workers; },
                                                                [](auto& i) { --i.seed; },
                                                                [](auto& i) { i.precision += " "; },
                                                                [](auto& i) { i.deck += "\n"; },
                                                                [](auto& i) { i.method.clear(); },
                                                                [](auto& i) { i.problem = "0123456789abcdee"; }};
  std::vector<std::function<void(CheckpointInfo&)>> const provenance{[](auto& i) { i.version.clear(); },
                                                                     [](auto& i) { i.git_hash += "-dirty"; },
                                                                     [](auto& i) { i.fingerprint += ", two threads"; },
                                                                     [](auto& i) { i.created.clear(); },
                                                                     [](auto& i) { i.provenance["hosts"] = "n1"; },
                                                                     [](auto& i) { i.provenance.erase("empty"); }};
  for (auto const& change : state) {
    auto other = base;
    change(other);
    EXPECT_NE(state_hash(other), state_hash(base));
    EXPECT_EQ(provenance_hash(other), provenance_hash(base));
  }
  for (auto const& change : provenance) {
    auto other = base;
    change(other);
    EXPECT_EQ(state_hash(other), state_hash(base));
    EXPECT_NE(provenance_hash(other), provenance_hash(base));
  }
}

// The seals of versions 1 and 2 cover neither.
TEST(CheckpointInfo, TheHashOfBeforeKnowsNeitherMethodNorProblem) {
  auto other = sample();
  other.method.clear(), other.problem.clear();
  EXPECT_EQ(state_hash(other, false), state_hash(sample(), false));
  EXPECT_NE(state_hash(other, false), state_hash(other));
  ++other.step;
  EXPECT_NE(state_hash(other, false), state_hash(sample(), false));
}

TEST(CheckpointInfo, TextsDoNotRunIntoEachOther) {
  CheckpointInfo a, b;
  a.precision = std::string("xy");
  b.precision = std::string("x");
  b.deck = std::string("y");
  EXPECT_NE(state_hash(a), state_hash(b));
}

TEST(CheckpointInfo, TimeIsIso8601) {
  std::string const now = kaon::utc_now();
  ASSERT_EQ(now.size(), 20u);
  EXPECT_EQ(now[10], 'T');
  EXPECT_EQ(now[19], 'Z');
}

}  // namespace
