#include <kaon/run/start/banner.hpp>
#include <kaon/run/start/blas_kernels.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

TEST(BlasKernels, AnOldCoreOnANewerCpuHasABetterOne) {
  EXPECT_EQ(better_blas_core("Prescott", "avx2 fma avx512vl"), "SKYLAKEX");
  EXPECT_EQ(better_blas_core("Prescott", "avx2 fma"), "HASWELL");
  EXPECT_EQ(better_blas_core("Barcelona", "avx2 fma"), "HASWELL");
  EXPECT_EQ(better_blas_core("Sandybridge", "avx2 fma"), "HASWELL");
  EXPECT_EQ(better_blas_core("Prescott", ""), "") << "an old CPU is served well";
  EXPECT_EQ(better_blas_core("Prescott", "avx2"), "") << "its kernels need both";
  for (auto const* core : {"Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids", "ARMV8", "one that comes later"})
    EXPECT_EQ(better_blas_core(core, "avx2 fma avx512vl"), "") << core;
}

TEST(BlasKernels, AreNoOlderThanTheCpuOnceChosen) {
  auto const& kernels = choose_blas_kernels();
  EXPECT_EQ(&kernels, &choose_blas_kernels()) << "once";
  if (blas_name().find("DYNAMIC_ARCH") == std::string::npos) GTEST_SKIP() << blas_name() << " has one set of kernels";
  EXPECT_EQ(kernels.warning, "");
  EXPECT_EQ(blas_text().find("chosen by Kaon") != std::string::npos, !kernels.note.empty());
}

}  // namespace
}  // namespace kaon
