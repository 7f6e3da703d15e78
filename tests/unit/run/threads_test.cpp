#include <kaon/run/threads.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

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

TEST(Threads, TheUsersChoiceWins) {
  char const* const before = std::getenv("OMP_NUM_THREADS");
  std::string const kept = before ? before : "";
  unsetenv("OMP_NUM_THREADS");
  unsetenv("KOKKOS_NUM_THREADS");
  EXPECT_FALSE(threads_chosen({}));
  EXPECT_FALSE(threads_chosen({"--kokkos-device-id=0"}));
  EXPECT_TRUE(threads_chosen({"--kokkos-num-threads=3"}));
  EXPECT_TRUE(threads_chosen({kokkos_threads_option(3)}));
  setenv("OMP_NUM_THREADS", "2", 1);
  EXPECT_TRUE(threads_chosen({}));
  if (before)
    setenv("OMP_NUM_THREADS", kept.c_str(), 1);
  else
    unsetenv("OMP_NUM_THREADS");
}

TEST(Threads, WarnsOfTooManyThreadsWithTheCure) {
  auto const warnings = performance_warnings({2, 2, 2}, 2);
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings[0].find("OMP_NUM_THREADS=1"), std::string::npos) << warnings[0];
  for (auto const& w : performance_warnings({2, 2, 2}, 1)) EXPECT_EQ(w.find("OMP_NUM_THREADS"), std::string::npos) << w;
}

TEST(Threads, WarnsOfAnOpenBlasThatMistakesTheCpu) {
  std::string const old = "OpenBLAS 0.3.21 DYNAMIC_ARCH Prescott", good = "OpenBLAS 0.3.21 DYNAMIC_ARCH SkylakeX";
  EXPECT_NE(blas_core_warning(old, "sse avx2 fma avx512vl").find("SKYLAKEX"), std::string::npos);
  EXPECT_NE(blas_core_warning(old, "sse avx2 fma").find("HASWELL"), std::string::npos);
  EXPECT_EQ(blas_core_warning(old, "sse sse2 pni"), "") << "an old CPU is served well";
  EXPECT_EQ(blas_core_warning(good, "sse avx2 fma avx512vl"), "");
  EXPECT_EQ(blas_core_warning("MKL 2024", "sse avx2 fma avx512vl"), "");
}

}  // namespace
}  // namespace kaon
