// The clock of the cost model goes on with work, and on one thread stands still while the process sleeps.
#include <kaon/clock/work_clock.hpp>
#include <kaon/core/compat.hpp>

#include <gtest/gtest.h>
#include <Kokkos_Core.hpp>

#include <time.h>

#include <chrono>
#include <thread>

namespace kaon {
namespace work_clock_test {

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
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  double const slept = work_seconds() - begin, passed = wall() - before;
  bool const one = runs_on_host<Kokkos::DefaultExecutionSpace> && Kokkos::DefaultHostExecutionSpace().concurrency() == 1;
  if (one)
    EXPECT_LT(slept, 0.02) << "CPU time, of which a sleeping process has none";
  else
    EXPECT_NEAR(slept, passed, 0.5 * passed) << "wall-clock time";
}

// What it counts is what the process computed, whatever else the machine does meanwhile: no less than the kernel says of this
// thread, and on one thread no more than of the whole process.
TEST(WorkClock, CountsWhatWasComputed) {
  auto const cpu = [](clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  double const process = cpu(CLOCK_PROCESS_CPUTIME_ID), begin = work_seconds(), thread = cpu(CLOCK_THREAD_CPUTIME_ID);
  double volatile sum = 0;
  while (cpu(CLOCK_THREAD_CPUTIME_ID) - thread < 0.05)
    for (int i = 0; i < 20000; ++i) sum = sum + 1.0 / (i + 1);
  double const mine = cpu(CLOCK_THREAD_CPUTIME_ID) - thread, counted = work_seconds() - begin;
  EXPECT_GE(counted, mine - 1e-3);
  if (runs_on_host<Kokkos::DefaultExecutionSpace> && Kokkos::DefaultHostExecutionSpace().concurrency() == 1) {
    EXPECT_LE(counted, cpu(CLOCK_PROCESS_CPUTIME_ID) - process + 1e-3);
  }
}

}  // namespace work_clock_test
}  // namespace kaon
