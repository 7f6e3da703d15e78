#ifndef KAON_BENCH_RACE_HPP
#define KAON_BENCH_RACE_HPP

#include "bench.hpp"

namespace kaon::bench {

/// Whether times are CPU seconds of the process: with one host thread, where others' load disturbs them least. Several threads
/// share the work of a call, and a device does it elsewhere: there seconds between fences count.
bool by_cpu_time();

/// Median seconds of one call.
struct Times {
  double kernel = 0, floor = 0;
  std::size_t repetitions = 0;
};

/// Runs the race: Google Benchmark alternates the two in random order and repeats as its options say.
Times run(Race const& race, Exec const& exec);

}  // namespace kaon::bench

#endif
