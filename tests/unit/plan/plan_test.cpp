#include <kaon/core/error.hpp>
#include <kaon/plan/plan.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace kaon {
namespace {

TEST(Plan, EveryWorkerHasOneHostInContiguousBlocks) {
  for (int ranks = 1; ranks <= 9; ++ranks)
    for (int workers = 1; workers <= 9; ++workers) {
      Plan const plan(ranks, workers, {1.0});
      int next = 0;
      for (int r = 0; r < ranks; ++r) {
        auto const here = plan.workers_at(r);
        if (here.count == 0) continue;
        ASSERT_EQ(here.first, next) << ranks << " ranks, " << workers << " workers";
        ASSERT_EQ(plan.leads_at(r), here);
        for (int k = 0; k < here.count; ++k, ++next) {
          ASSERT_EQ(plan.lead_of(next), r);
          ASSERT_EQ(plan.home_of(0, next), r);
        }
        ASSERT_LE(here.count, (workers + std::min(ranks, workers) - 1) / std::min(ranks, workers));
      }
      ASSERT_EQ(next, workers);
    }
}

TEST(Plan, RanksBeyondTheWorkersHostNoneAndStillOwn) {
  Plan const plan(3, 1, {1, 1, 1});
  EXPECT_EQ(plan.workers_at(0).count, 1);
  EXPECT_EQ(plan.workers_at(1).count + plan.workers_at(2).count, 0);
  std::vector<int> owned(3, 0);
  for (int i = 0; i < 3; ++i) ++owned[static_cast<std::size_t>(plan.owner_of(i))];
  EXPECT_EQ(owned, (std::vector<int>{1, 1, 1}));
}

TEST(Plan, LongestProcessingTimeFirstIsWithinItsBound) {
  // Graham (1969): LPT is within 4/3 − 1/(3R) of the optimum, which is at least the mean load and the largest layer.
  std::vector<double> costs;
  for (int i = 0; i < 50; ++i) costs.push_back(1.0 + (i * 7919) % 97);
  double const total = std::accumulate(costs.begin(), costs.end(), 0.0);
  for (int ranks : {1, 2, 3, 7, 16}) {
    Plan const plan(ranks, 4, costs);
    std::vector<double> load(static_cast<std::size_t>(ranks), 0.0);
    for (int i = 0; i < 50; ++i) load[static_cast<std::size_t>(plan.owner_of(i))] += costs[static_cast<std::size_t>(i)];
    double const worst = *std::max_element(load.begin(), load.end());
    double const optimum = std::max(total / ranks, *std::max_element(costs.begin(), costs.end()));
    EXPECT_LE(worst, optimum * (4.0 / 3 - 1.0 / (3 * ranks)) + 1e-9);
    EXPECT_NEAR(plan.imbalance(), worst * ranks / total, 1e-12);
  }
}

TEST(Plan, FewerLayersThanRanksAndNone) {
  Plan const plan(4, 2, {5.0});
  EXPECT_EQ(plan.owner_of(0), 0);
  EXPECT_EQ(Plan(4, 2, {}).layers(), 0);
  EXPECT_THROW(Plan(0, 1, {}), std::invalid_argument);
  EXPECT_THROW(Plan(1, 0, {}), std::invalid_argument);
}

PlanSettings settings(Topology topology, std::vector<int> nodes, int workers, int micro_batches, std::size_t bundle = 0) {
  return {topology, std::move(nodes), workers, micro_batches, bundle};
}
std::vector<int> one_node(int ranks) { return std::vector<int>(static_cast<std::size_t>(ranks), 0); }

// Every micro-batch of every worker has one rank, every layer of every worker one home in the worker's group, and homes' state is
// a contiguous range: for any numbers of ranks, workers and micro-batches.
TEST(Plan, EveryMicroBatchAndEveryStateHasOnePlace) {
  std::vector<LayerLoad> const loads{{5, 100}, {1, 700}, {3, 30}, {2, 2}};
  for (auto const topology : all_topologies)
    for (int ranks = 1; ranks <= 9; ++ranks)
      for (int workers = 1; workers <= 5; ++workers)
        for (int micros : {1, 2, 3, 4, 8}) {
          Plan const plan(settings(topology, one_node(ranks), workers, micros, 130), loads);
          std::vector<int> computed(static_cast<std::size_t>(workers * micros), 0);
          std::vector<int> homes(static_cast<std::size_t>(workers * plan.layers()), 0);
          for (int r = 0; r < ranks; ++r) {
            auto const w = plan.workers_at(r), m = plan.micros_at(r);
            for (int j = w.first; j < w.end(); ++j) {
              for (int b = m.first; b < m.end(); ++b) ++computed[static_cast<std::size_t>(j * micros + b)];
              auto const& group = plan.group_of(j);
              EXPECT_NE(std::find(group.begin(), group.end(), r), group.end());
            }
            for (int i = 0; i < plan.layers(); ++i) {
              auto const h = plan.homes_at(r, i);
              for (int j = h.first; j < h.end(); ++j) {
                ++homes[static_cast<std::size_t>(j * plan.layers() + i)];
                ASSERT_EQ(plan.home_of(i, j), r);
              }
            }
            if (topology == Topology::dedicated && ranks > 1) {
              ASSERT_EQ(plan.workers_at(0).count, 0);
            }
          }
          for (int const c : computed) ASSERT_EQ(c, 1) << name_of(topology) << " " << ranks << " " << workers << " " << micros;
          for (int const h : homes) ASSERT_EQ(h, 1) << name_of(topology) << " " << ranks << " " << workers << " " << micros;
          for (int i = 0; i < plan.layers(); ++i)
            for (int r = 0; r < ranks; ++r)
              ASSERT_EQ(plan.serves(r, i), topology == Topology::replicated || plan.owner_of(i) == r);
          if (topology == Topology::dedicated) {
            for (int i = 0; i < plan.layers(); ++i) ASSERT_EQ(plan.owner_of(i), 0);
          }
        }
}

TEST(Plan, GroupsAreNodesWhereTheLauncherAllows) {
  std::vector<LayerLoad> const loads(6, LayerLoad{1, 10});
  // Placed node by node, and dealt out like cards: two workers on two nodes never share a node's network link.
  for (auto const& nodes : {std::vector<int>{0, 0, 0, 0, 4, 4, 4, 4}, std::vector<int>{0, 1, 0, 1, 0, 1, 0, 1}}) {
    Plan const plan(settings(Topology::sharded, nodes, 2, 4), loads);
    EXPECT_EQ(plan.groups(), 2);
    EXPECT_EQ(plan.split_groups(), 0);
    for (int j = 0; j < 2; ++j) {
      ASSERT_EQ(plan.group_of(j).size(), 4u);
      for (int const r : plan.group_of(j))
        EXPECT_EQ(nodes[static_cast<std::size_t>(r)], nodes[static_cast<std::size_t>(plan.lead_of(j))]);
    }
  }
  EXPECT_EQ(Plan(settings(Topology::sharded, {0, 1, 2, 3}, 2, 4), loads).split_groups(), 2);
}

TEST(Plan, TheOwnerInAGroupIsTheHomeAndTheOthersShareTheBytes) {
  std::vector<LayerLoad> loads;
  for (int i = 0; i < 40; ++i) loads.push_back({1.0 + i % 5, 100 + 10 * static_cast<std::size_t>(i)});
  Plan const plan(settings(Topology::sharded, one_node(8), 2, 4), loads);
  for (int j = 0; j < 2; ++j) {
    std::vector<double> bytes(8, 0.0);
    for (int i = 0; i < plan.layers(); ++i) {
      auto const& group = plan.group_of(j);
      if (std::find(group.begin(), group.end(), plan.owner_of(i)) != group.end()) {
        EXPECT_EQ(plan.home_of(i, j), plan.owner_of(i));
      }
      bytes[static_cast<std::size_t>(plan.home_of(i, j))] += static_cast<double>(loads[static_cast<std::size_t>(i)].bytes);
    }
    double const total = std::accumulate(bytes.begin(), bytes.end(), 0.0);
    EXPECT_LT(*std::max_element(bytes.begin(), bytes.end()), 1.4 * total / 4);
  }
}

TEST(Plan, BundlesAreNeighboursAndKeepTheirBounds) {
  std::vector<LayerLoad> loads;
  for (int i = 0; i < 30; ++i) loads.push_back({1.0 + i % 3, 50 + 100 * static_cast<std::size_t>(i % 4)});
  for (auto const topology : all_topologies)
    for (std::size_t const most : {std::size_t(0), std::size_t(300), std::size_t(5000)}) {
      Plan const plan(settings(topology, one_node(2), 3, 1, most), loads);
      int next = 29;
      double const total =
          std::accumulate(loads.begin(), loads.end(), 0.0, [](double s, LayerLoad const& l) { return s + l.cost; });
      for (auto const& bundle : plan.bundles()) {
        std::size_t bytes = 0;
        double cost = 0;
        for (int const i : bundle.layers) {
          ASSERT_EQ(i, next--) << "in backward order, each once";
          bytes += loads[static_cast<std::size_t>(i)].bytes;
          cost += loads[static_cast<std::size_t>(i)].cost;
          ASSERT_EQ(plan.owner_of(i), bundle.owner);
        }
        EXPECT_EQ(bundle.cost, cost);
        if (bundle.layers.size() > 1) {
          EXPECT_LE(bytes, most);
          if (topology == Topology::sharded) {
            EXPECT_LE(cost, total / 8);
          }
        }
      }
      EXPECT_EQ(next, -1);
      if (most == 0) {
        EXPECT_EQ(plan.bundles().size(), loads.size());
      } else {
        EXPECT_LT(plan.bundles().size(), loads.size());
      }
    }
}

TEST(Topology, NamesComeBackAndOthersAreRefused) {
  for (auto const t : all_topologies) EXPECT_EQ(topology_named(name_of(t)), t);
  EXPECT_THROW(topology_named("ring"), UsageError);
}

}  // namespace
}  // namespace kaon
