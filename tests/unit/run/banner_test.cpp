#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/run/start/banner.hpp>

#include <Kokkos_Core.hpp>

#include <algorithm>

// The LAPACK that the library links brings a BLAS; one call keeps a linker that drops unused libraries from dropping it. Not in a
// namespace without a name: nvcc would make it local.
extern "C" double ddot_(int const*, double const*, int const*, double const*, int const*);

namespace kaon::test {
namespace {

Build const build{"1.2.3", "0123456789ab-dirty", "GNU 12.2", "Release -march=x"};

double dot() {
  int const n = 2, one = 1;
  double const x[2] = {3, 4};
  return ddot_(&n, x, &one, x, &one);
}

TEST(Banner, SaysWhatRunsWhere) {
  Communicator const ranks(MPI_COMM_WORLD);
  auto const text = banner(build, ranks);
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  expect_parts(text, {"Kaon 1.2.3 (git 0123456789ab-dirty)", "GNU 12.2", "Release -march=x", "Kokkos 3.",
                      Kokkos::DefaultExecutionSpace::name(), "BLAS: ", std::to_string(ranks.size()) + " rank", host});
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  for (auto const& other : ranks.gather(text)) EXPECT_EQ(other, text) << "the same on every rank";
}

TEST(Fingerprint, IsOneStableLineThatNamesTheArithmetic) {
  auto const text = arithmetic_fingerprint(build);
  EXPECT_EQ(text, arithmetic_fingerprint(build));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  expect_parts(text, {Kokkos::DefaultExecutionSpace::name(), "BLAS", "GNU 12.2", "Release -march=x"});
  EXPECT_NE(text, arithmetic_fingerprint({"1.2.3", "0123456789ab-dirty", "GNU 12.2", "Debug"}));
  EXPECT_EQ(text, arithmetic_fingerprint({"9", "x", "GNU 12.2", "Release -march=x"})) << "Kaon's own version stands elsewhere";
}

TEST(Blas, ThreadsCanBeSetAndChangeTheFingerprint) {
  ASSERT_EQ(dot(), 25);
  auto const before = blas_threads();
  if (before == 0) GTEST_SKIP() << "this BLAS (" << blas_name() << ") cannot be asked";
  EXPECT_NE(blas_name(), "unknown");
  ASSERT_TRUE(set_blas_threads(1));
  EXPECT_EQ(blas_threads(), 1);
  auto const one = arithmetic_fingerprint(build);
  if (set_blas_threads(2)) {
    EXPECT_NE(arithmetic_fingerprint(build), one);
  }
  set_blas_threads(before);
  EXPECT_THROW(set_blas_threads(0), std::invalid_argument);
}

TEST(Cpu, HasAName) {
  auto const name = cpu_model();
  EXPECT_FALSE(name.empty());
  EXPECT_EQ(name.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace kaon::test
