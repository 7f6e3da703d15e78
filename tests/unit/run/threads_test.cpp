#include <kaon/run/start/threads.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

TEST(Threads, AFairShareNeverExceedsTheCores) {
  for (int cores = 1; cores <= 64; ++cores)
    for (int ranks = 1; ranks <= 80; ++ranks) {
      int const t = fair_threads({cores, ranks, cores});
      ASSERT_GE(t, 1);
      if (ranks <= cores) {
        ASSERT_LE(t * ranks, cores);
        ASSERT_GT((t + 1) * ranks, cores);
      }
    }
  EXPECT_EQ(fair_threads({16, 4, 2}), 2) << "a bound rank uses its own cores only";
}

TEST(Threads, HostShareCountsThisRank) {
  Communicator const world(MPI_COMM_WORLD);
  auto const share = host_share(world);
  EXPECT_GE(share.ranks, 1);
  EXPECT_LE(share.ranks, world.size());
  EXPECT_GE(share.cores, share.mine);
}

TEST(Threads, AloneAProcessHasItsCores) {
  auto const share = host_share();
  EXPECT_EQ(share.ranks, 1);
  EXPECT_EQ(share.cores, share.mine);
  EXPECT_EQ(fair_threads(share), share.mine);
}

TEST(Threads, WarnsOfTooManyThreadsWithTheCure) {
  auto const warnings = performance_warnings({2, 2, 2}, 2);
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings[0].find("OMP_NUM_THREADS=1"), std::string::npos) << warnings[0];
  for (auto const& w : performance_warnings({2, 2, 2}, 1)) EXPECT_EQ(w.find("OMP_NUM_THREADS"), std::string::npos) << w;
}

}  // namespace
}  // namespace kaon
