// The program exchanges as the deck says, tells what it does, and the results do not depend on it.
#include "program.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace kaon::test {
namespace {

Words words(std::initializer_list<std::string> more, int steps = 4, int log_every = 2) {
  Words all{"-i", "gpt.deck", "run.steps=" + std::to_string(steps), "gpt.batch=2", "run.log_every=" + std::to_string(log_every)};
  all.insert(all.end(), more);
  if (std::none_of(more.begin(), more.end(), [](auto const& w) { return w.find("micro_batches") != std::string::npos; }))
    all.push_back("gpt.micro_batches=2");
  return all;
}

std::string const last = "run/checkpoints/latest";

// Checkpoints of one rank and of many, of every topology, with groups of ranks and without: the same bits, byte counts included.
TEST(ExchangeOfAProgram, TheCheckpointIsTheSameForEveryTopologyAndNumberOfRanks) {
  Scratch const one;
  put_gpt(one);
  ASSERT_TRUE(ended(one.train(words({})), 0, {"topology sharded", "in 2 micro-batches"}));
  for (int const ranks : {2, 3, 4, 8})
    for (std::string const topology : {"sharded", "dedicated", "replicated"}) {
      Scratch const s;
      put_gpt(s);
      auto const o = s.train(words({"exchange.topology=" + topology, "exchange.bundle=" + std::to_string(ranks * 500)}), ranks);
      ASSERT_TRUE(ended(o, 0, {"topology " + topology}));
      EXPECT_TRUE(ended(s.ckpt({"diff", s / last, one / last}), 0, {"same, bit for bit"})) << topology << " on " << ranks;
    }
}

TEST(ExchangeOfAProgram, ARestartMayChangeTopologyBundlesAndRanksButNoMicroBatches) {
  Scratch const straight, s;
  put_gpt(straight);
  put_gpt(s);
  ASSERT_TRUE(ended(straight.train(words({}), 2), 0));
  ASSERT_TRUE(ended(s.train(words({"exchange.topology=dedicated"}, 2), 3), 0));
  ASSERT_TRUE(ended(s.train(words({"-r", "exchange.topology=replicated", "exchange.bundle=0"}), 4), 0, {"restarted from"}));
  EXPECT_TRUE(ended(s.ckpt({"diff", s / last, straight / last}), 0, {"same, bit for bit"}));
  auto const o = s.train(words({"-r", "gpt.micro_batches=1"}, 6));
  EXPECT_TRUE(ended(o, 65, {"gpt.micro_batches", "'1'", "'2'"}));
}

TEST(ExchangeOfAProgram, BatchesThatCannotBeCutAreRefused) {
  Scratch const s;
  put_gpt(s);
  EXPECT_TRUE(
      ended(s.train({"-i", "gpt.deck", "gpt.batch=3", "gpt.micro_batches=2"}), 64, {"gpt.batch = 3", "gpt.micro_batches = 2"}));
  EXPECT_TRUE(ended(s.train({"-i", "gpt.deck", "exchange.topology=ring"}), 64, {"exchange.topology", "ring", "sharded"}));
  EXPECT_FALSE(s.has("run"));
}

TEST(ExchangeOfAProgram, AutoTellsItsEstimatesAndWhatItTakes) {
  Scratch const s;
  put_gpt(s);
  auto const o = s.train(words({"exchange.topology=auto"}), 2);
  ASSERT_TRUE(ended(o, 0, {"topology auto: link", "(model)", "<- taken"}));
  auto const all = o.out + o.err;
  std::size_t taken = 0, estimates = 0;
  for (std::size_t at = 0; (at = all.find("<- taken", at)) != std::string::npos; ++at) ++taken;
  for (std::size_t at = 0; (at = all.find("s a step (model)", at)) != std::string::npos; ++at) ++estimates;
  EXPECT_EQ(taken, 1u);
  EXPECT_EQ(estimates, 3u);
  std::map<bool, double> smallest;  // of those not taken, and of the one that is
  std::string chosen;
  std::istringstream in(all);
  for (std::string line; std::getline(in, line);) {
    auto const about = line.find(" about ");
    if (line.find("s a step (model)") == std::string::npos || about == std::string::npos) continue;
    bool const is_taken = line.find("<- taken") != std::string::npos;
    double const seconds = std::stod(line.substr(about + 7));
    if (!smallest.count(is_taken) || seconds < smallest[is_taken]) smallest[is_taken] = seconds;
    if (is_taken)
      for (std::string const name : {"sharded", "dedicated", "replicated"})
        if (line.find(name) != std::string::npos) chosen = name;
  }
  ASSERT_EQ(smallest.size(), 2u) << all;
  EXPECT_LE(smallest[true], smallest[false]) << all;
  EXPECT_NE(s.read("run/summary.json").find("\"topology\": \"" + chosen + "\""), std::string::npos) << chosen;
  // What was chosen is no part of the mathematics.
  Scratch const sharded;
  put_gpt(sharded);
  ASSERT_TRUE(ended(sharded.train(words({"exchange.topology=sharded"}), 2), 0));
  EXPECT_TRUE(ended(s.ckpt({"diff", s / last, sharded / last}), 0, {"same, bit for bit"}));
  for (int const ranks : {1, 3, 4}) {
    Scratch const other;
    put_gpt(other);
    ASSERT_TRUE(ended(other.train(words({"exchange.topology=auto"}), ranks), 0, {"<- taken"}));
    EXPECT_TRUE(ended(s.ckpt({"diff", other / last, sharded / last}), 0, {"same, bit for bit"})) << ranks;
  }
}

TEST(ExchangeOfAProgram, PhasesAndExposedTimeAreTold) {
  Scratch const s;
  put_gpt(s);
  auto const o = s.train(words({}), 4);
  ASSERT_TRUE(
      ended(o, 0, {"phase ", "forward", "backward", "compress", "lmo", "aggregate", "follow", "save", "exchange exposed"}));
  auto const json = s.read("run/summary.json");
  for (char const* phase : {"forward", "backward", "sum", "compress", "send", "wait_sum", "wait_uplink", "aggregate", "lmo",
                            "wait_downlink", "follow", "agree", "save", "validate", "exposed"})
    EXPECT_NE(json.find('"' + std::string(phase) + "\": "), std::string::npos) << phase;
}

std::vector<std::vector<std::string>> rows(std::string const& text) {
  std::vector<std::vector<std::string>> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    out.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) out.back().push_back(cell);
  }
  return out;
}

// The groups' bytes add up to the run's, in every column, also after a restart.
TEST(ExchangeOfAProgram, BytesByGroupAddUp) {
  Scratch const s;
  put_gpt(s);
  ASSERT_TRUE(ended(s.train(words({}, 2), 4), 0));
  ASSERT_TRUE(ended(s.train(words({"-r"}), 3), 0));
  auto const groups = rows(s.read("run/groups.csv")), metrics = rows(s.read("run/metrics.csv"));
  std::vector<std::string> const kinds{"bytes_up",  "bytes_down", "bytes_received", "wire_up",
                                       "wire_down", "wire_sum",   "wire_received"};
  std::map<std::string, std::vector<std::int64_t>> sums;  // by step
  for (std::size_t r = 1; r < groups.size(); ++r) {
    auto& sum = sums[groups[r][0]];
    sum.resize(kinds.size());
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      auto const column = static_cast<std::size_t>(std::find(groups[0].begin(), groups[0].end(), kinds[k]) - groups[0].begin());
      ASSERT_LT(column, groups[0].size()) << kinds[k];
      sum[k] += std::stoll(groups[r][column]);
    }
  }
  ASSERT_EQ(metrics.size(), 5u) << "a header and four steps";
  std::size_t compared = 0;
  for (std::size_t r = 1; r < metrics.size(); ++r) {
    EXPECT_EQ(metrics[r][0], std::to_string(r)) << "each step once, in order";
    if (!sums.count(metrics[r][0])) continue;
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      auto const column =
          static_cast<std::size_t>(std::find(metrics[0].begin(), metrics[0].end(), kinds[k]) - metrics[0].begin());
      ASSERT_LT(column, metrics[0].size()) << kinds[k];
      EXPECT_EQ(std::to_string(sums[metrics[r][0]][k]), metrics[r][column]) << kinds[k] << " at step " << r;
    }
    ++compared;
  }
  EXPECT_GE(compared, 2u);
  EXPECT_GT(sums.rbegin()->second[5], 0) << "4 ranks share 2 workers";
}

// Where a row's number stands: a downlink is received when the next step reads it, or at the end of a step that measures.
TEST(ExchangeOfAProgram, WhatIsReceivedIsWhatWasSentButForTheStepsOwnDownlinks) {
  Scratch const s;
  put_gpt(s);
  ASSERT_TRUE(ended(s.train(words({"checkpoint.every=2"}, 5, 3), 3), 0));
  ASSERT_TRUE(ended(s.train(words({"-r"}, 7, 0), 4), 0));
  auto const all = rows(s.read("run/metrics.csv"));
  ASSERT_EQ(all.size(), 8u);
  auto const cell = [&](std::size_t row, char const* name) {
    auto const column = std::find(all[0].begin(), all[0].end(), name) - all[0].begin();
    return std::stoll(all[row].at(static_cast<std::size_t>(column)));
  };
  for (std::size_t r = 1; r < all.size(); ++r) {
    bool const measured = r == 1 || r == 3 || r == 5;
    auto const down = measured ? cell(r, "wire_down") : cell(r - 1, "wire_down");
    EXPECT_EQ(cell(r, "wire_received"), cell(r, "wire_up") + cell(r, "wire_sum") + down) << "step " << r;
    EXPECT_EQ(cell(r, "bytes_received"), cell(r, "bytes_up") + cell(r, "bytes_down")) << "step " << r;
    EXPECT_GT(cell(r, "wire_down"), r > 1 ? cell(r - 1, "wire_down") : 0);
  }
  auto const json = s.read("run/summary.json");
  auto const sent = cell(7, "wire_up") + cell(7, "wire_sum") + cell(7, "wire_down");
  EXPECT_NE(json.find("\"wire_received\": " + std::to_string(sent) + ","), std::string::npos) << json;
}

}  // namespace
}  // namespace kaon::test
