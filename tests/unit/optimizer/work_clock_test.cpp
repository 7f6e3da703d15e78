// The clock of the cost model goes on with work, and on one thread stands still while the process sleeps.
#include <kaon/core/compat.hpp>
#include <kaon/optimizer/work_clock.hpp>

#include <gtest/gtest.h>
#include <Kokkos_Core.hpp>

#include <chrono>
#include <thread>

namespace kaon {
namespace {

TEST(WorkClock, NeverGoesBackAndGoesOnWithWork) {
  double const begin = work_seconds();
  double before = begin;
  double volatile sum = 0;
  for (int k = 0; k < 200; ++k) {
    for (int i = 0; i < 20000; ++i) sum = sum + 1.0 / (i + 1);
    double const now = work_seconds();
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_GT(before, begin);
}

TEST(WorkClock, SleepIsNoWorkOnOneThread) {
  auto const wall = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
  double const before = wall(), begin = work_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  double const slept = work_seconds() - begin, passed = wall() - before;
  bool const one = runs_on_host<Kokkos::DefaultExecutionSpace> && Kokkos::DefaultHostExecutionSpace().concurrency() == 1;
  if (one)
    EXPECT_LT(slept, passed) << "CPU time, of which a sleeping process has none";
  else
    EXPECT_GT(slept, 0) << "wall-clock time";
}

}  // namespace
}  // namespace kaon
