#ifndef KAON_BENCH_RACE_HPP
#define KAON_BENCH_RACE_HPP

#include "bench.hpp"

namespace kaon::bench {

/// Median CPU seconds of one call on a host (of the whole process), median seconds between fences on a device.
struct Times {
  double kernel = 0, floor = 0;
  std::size_t repetitions = 0;
};

/// Runs the race: Google Benchmark alternates the two in random order and repeats as its options say.
Times run(Race const& race, Exec const& exec);

}  // namespace kaon::bench

#endif
