#include <kaon/clock/work_clock.hpp>

#include <kaon/core/compat.hpp>

#include <Kokkos_Core.hpp>

#include <time.h>

namespace kaon {

double work_seconds() {
  static bool const alone = runs_on_host<Kokkos::DefaultExecutionSpace> && Kokkos::DefaultHostExecutionSpace().concurrency() == 1;
  timespec t{};
  clock_gettime(alone ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace kaon
