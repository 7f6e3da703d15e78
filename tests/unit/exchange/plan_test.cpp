#include <kaon/exchange/plan.hpp>

#include <gtest/gtest.h>

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
        ASSERT_EQ(plan.first_worker(r), next) << ranks << " ranks, " << workers << " workers";
        for (int k = 0; k < plan.worker_count(r); ++k, ++next) ASSERT_EQ(plan.host_of(next), r);
        ASSERT_LE(plan.worker_count(r), (workers + std::min(ranks, workers) - 1) / std::min(ranks, workers));
      }
      ASSERT_EQ(next, workers);
    }
}

TEST(Plan, RanksBeyondTheWorkersHostNoneAndStillOwn) {
  Plan const plan(3, 1, {1, 1, 1});
  EXPECT_EQ(plan.worker_count(0), 1);
  EXPECT_EQ(plan.worker_count(1) + plan.worker_count(2), 0);
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

}  // namespace
}  // namespace kaon
