#include "race.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>

namespace kaon::bench {
namespace {

/// Keeps the time of one call for every repetition, by the name it was registered under.
class Collect final : public benchmark::BenchmarkReporter {
 public:
  std::map<std::string, std::vector<double>> seconds;
  bool ReportContext(Context const&) override { return true; }
  void ReportRuns(std::vector<Run> const& runs) override {
    for (auto const& run : runs) {
      if (run.error_occurred) throw std::runtime_error(run.benchmark_name() + ": " + run.error_message);
      if (run.run_type != Run::RT_Iteration) continue;
      double const total = by_cpu_time() ? run.cpu_accumulated_time : run.real_accumulated_time;
      seconds[run.run_name.function_name].push_back(total / static_cast<double>(run.iterations));
    }
  }
};

double median(std::vector<double> v) {
  if (v.empty()) throw std::runtime_error("a race left no times: Google Benchmark's options must not filter it away");
  auto const middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

void enter(std::string const& name, std::function<void()> const& work, Exec const& exec) {
  auto* const b = benchmark::RegisterBenchmark(name.c_str(), [work, exec](benchmark::State& state) {
    work();  // pages, caches, lazy library set-up
    exec.fence();
    for ([[maybe_unused]] auto _ : state) {
      work();
      exec.fence();
    }
  });
  if (by_cpu_time())
    b->MeasureProcessCPUTime();
  else
    b->UseRealTime();
}

}  // namespace

bool by_cpu_time() { return runs_on_host<Exec> && Exec().concurrency() == 1; }

Times run(Race const& race, Exec const& exec) {
  auto const pair = race.make(exec);
  exec.fence();
  benchmark::ClearRegisteredBenchmarks();
  enter("kernel", pair.kernel, exec);
  enter("floor", pair.floor, exec);
  Collect collect;
  benchmark::RunSpecifiedBenchmarks(&collect, ".*");
  benchmark::ClearRegisteredBenchmarks();
  return {median(collect.seconds["kernel"]), median(collect.seconds["floor"]), collect.seconds["kernel"].size()};
}

}  // namespace kaon::bench
