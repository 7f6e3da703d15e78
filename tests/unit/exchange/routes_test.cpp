// The messages of a step on more ranks than any test has: counted from the routes that Exchange makes its boxes of.
#include <kaon/exchange/routes.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <set>

namespace kaon {
namespace {

// Matrices of GPT-2 124M: per block q, k, v, o (768²) and up, down (768×3072); two tables.
std::vector<LayerLoad> gpt2() {
  std::vector<LayerLoad> loads{{1, std::size_t(50304) * 768 / 2}, {1, std::size_t(1024) * 768 / 2}};
  for (int b = 0; b < 12; ++b)
    for (double const entries : {1.0, 1.0, 1.0, 1.0, 4.0, 4.0})
      loads.push_back({entries, static_cast<std::size_t>(entries * 768 * 768 / 2)});
  return loads;
}

Plan plan_of(int ranks, int workers, Topology topology, int fan_out) {
  PlanSettings s;
  s.topology = topology;
  s.nodes.clear();
  for (int r = 0; r < ranks; ++r) s.nodes.push_back(r / 8);
  s.workers = workers;
  s.micro_batches = 16;
  s.bundle_bytes = 65536;
  s.fan_out = fan_out;
  return {s, gpt2()};
}

struct Most {
  std::size_t receives = 0, sends = 0, all_sends = 0, all_receives = 0;
};

Most count(Plan const& plan, Up up) {
  LayerFlows flow;
  flow.up = up;
  Most most;
  for (int rank = 0; rank < plan.ranks(); ++rank) {
    auto const sums = up == Up::each ? sums_in_group(plan, rank) : sums_over_all(plan, rank);
    std::size_t receives = 0, sends = 0;
    for (int b = 0; b < static_cast<int>(plan.bundles().size()); ++b) {
      auto const r = routes_of(plan, flow, sums, b, rank);
      receives += r.receives(sums);
      sends += r.sends();
    }
    most.receives = std::max(most.receives, receives);
    most.sends = std::max(most.sends, sends);
    most.all_receives += receives;
    most.all_sends += sends;
  }
  return most;
}

TEST(Routes, OfOneThousandRanksGrowWithNoneOfThem) {
  int const workers = 64;
  auto const small = count(plan_of(256, workers, Topology::sharded, 8), Up::each);
  auto const large = count(plan_of(1024, workers, Topology::sharded, 8), Up::each);
  auto const star = count(plan_of(1024, workers, Topology::sharded, 0), Up::each);
  std::printf(
      "74 layers, 64 workers of 16 micro-batches: at most %zu receives and %zu sends a rank on 256 ranks, %zu and %zu on 1024;"
      " %zu sends without a tree\n",
      small.receives, small.sends, large.receives, large.sends, star.sends);
  std::size_t const bundles = plan_of(1024, workers, Topology::sharded, 8).bundles().size();
  EXPECT_EQ(large.all_receives, large.all_sends);
  // A server takes 64 uplinks a bundle; every rank one downlink a bundle and the partial sums of the bundles that it is home of.
  EXPECT_LE(large.receives, bundles + 64 + 15 * bundles);
  EXPECT_LE(large.receives, small.receives + 64) << "four times the ranks";
  EXPECT_LE(large.sends, 3 * bundles) << "a downlink a bundle on the average, and the sums and uplinks of a home";
  EXPECT_GE(star.sends, std::size_t(1023)) << "the owner of one bundle alone";
}

// Dense sums: a server is sent the partial sums of every rank that computes, which is what an ordered sum is. That grows with the
// ranks, and the page of the methods says so.
TEST(Routes, OfDenseSumsGoToOneServer) {
  auto const plan = plan_of(1024, 64, Topology::sharded, 8);
  auto const dense = count(plan, Up::ordered_sum);
  EXPECT_EQ(dense.all_receives, dense.all_sends);
  EXPECT_LE(dense.sends, 8 * plan.bundles().size() + plan.bundles().size());
}

// Whoever has a downlink sends it on to at most fan_out ranks, and every rank is reached once.
TEST(Routes, ADownlinkReachesEveryRankOnce) {
  for (int const ranks : {1, 2, 3, 8, 9, 10, 64, 1000})
    for (int const fan_out : {0, 1, 2, 8, 2000})
      for (int const owner : {0, 1, ranks - 1}) {
        if (owner >= ranks) continue;
        auto const plan = plan_of(ranks, std::min(ranks, 4), Topology::sharded, fan_out);
        std::vector<int> from{owner};
        std::set<int> seen{owner};
        int depth = 0;
        for (; !from.empty(); ++depth) {
          std::vector<int> next;
          for (int const r : from) {
            auto const children = plan.down_children(owner, r);
            EXPECT_LE(static_cast<int>(children.size()), fan_out > 0 ? fan_out : ranks - 1);
            for (int const c : children) {
              EXPECT_TRUE(seen.insert(c).second) << c << " twice";
              EXPECT_EQ(plan.down_parent(owner, c), r);
              next.push_back(c);
            }
          }
          from = next;
        }
        EXPECT_EQ(static_cast<int>(seen.size()), ranks);
        EXPECT_LE(depth, fan_out == 8 ? 6 : ranks);
      }
}

}  // namespace
}  // namespace kaon
