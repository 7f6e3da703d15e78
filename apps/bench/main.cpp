// kaon-bench: every kernel beside its floor, as ratios taken in one process.
#include "bench.hpp"
#include "checkpoint.hpp"
#include "exchange.hpp"
#include "race.hpp"
#include "report.hpp"

#include <kaon/core/error.hpp>
#include <kaon/files/standard_output.hpp>
#include <kaon/run/start/memory.hpp>
#include <kaon/run/start/prepare.hpp>
#include <kaon/run/stop/leave.hpp>

#include <benchmark/benchmark.h>
#include <boost/program_options.hpp>

#include <cstdio>
#include <iostream>
#include <regex>

namespace {

using namespace kaon;
namespace options = boost::program_options;

bench::Suite all() {
  bench::Suite suite;
  bench::add_polar(suite);
  bench::add_exact(suite);
  bench::add_select(suite);
  bench::add_quantize(suite);
  bench::add_lowrank(suite);
  bench::add_network(suite);
  return suite;
}

/// Google Benchmark takes its settings from a command line only.
void configure(int repetitions, double seconds) {
  std::vector<std::string> words{"kaon-bench", "--benchmark_enable_random_interleaving=true",
                                 "--benchmark_repetitions=" + std::to_string(repetitions),
                                 "--benchmark_min_time=" + std::to_string(seconds)};
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
}

int bench_main(options::variables_map const& given) {
  std::regex filter;
  try {
    filter = std::regex(given["filter"].as<std::string>());
  } catch (std::regex_error const& e) {
    throw UsageError("--filter '" + given["filter"].as<std::string>() + "' is not a regular expression: " + e.what());
  }
  auto const wanted = [&](std::string const& name) { return std::regex_search(name, filter); };
  auto const suite = all();
  if (given.count("list")) {
    for (auto const& race : suite.races)
      if (wanted(race.name)) std::printf("%-34s %s, against %s\n", race.name.c_str(), race.kernel.c_str(), race.floor.c_str());
    for (auto const& count : suite.counts)
      if (wanted(count.name)) std::printf("%-34s %s\n", count.name.c_str(), count.what.c_str());
    return 0;
  }
  bench::Exec const exec;
  if (given.count("accuracy")) {
    bench::print_polar_accuracy(exec);
    return 0;
  }
  configure(given["repetitions"].as<int>(), given["seconds"].as<double>());
  bench::Report report(given.count("csv") ? given["csv"].as<std::string>() : "", given["python"].as<std::string>());
  for (auto const& race : suite.races)
    if (wanted(race.name)) report.add(race, bench::run(race, exec));
  for (auto const& count : suite.counts)
    if (wanted(count.name)) report.add(count, count.value(exec));
  if (report.rows() == 0) throw UsageError("--filter '" + given["filter"].as<std::string>() + "' leaves nothing; see --list");
  report.finish();
  return 0;
}

int program(int argc, char** argv) {
  std::vector<std::string> kokkos;
  try {
    prepare_process();
    kokkos = take_kokkos_options(argc, argv);
  } catch (kaon::Error const& e) {
    std::fprintf(stderr, "kaon-bench: %s\n", e.what());
    leave_alone(static_cast<int>(e.code()));
  }
  if (argc > 1 && std::string(argv[1]) == "exchange") {
    argv[1] = argv[0];
    return bench::exchange_main(argc - 1, argv + 1, kokkos);
  }
  if (argc > 1 && std::string(argv[1]) == "checkpoint") {
    argv[1] = argv[0];
    return bench::checkpoint_main(argc - 1, argv + 1);
  }
  options::options_description described(
      "kaon-bench: times every kernel beside its floor, one against the other in one process.\n"
      "kaon-bench exchange: messages between ranks, and a model of steps (--help)\n"
      "kaon-bench checkpoint: a save beside a bare write of the same bytes (--help)");
  // clang-format off
  described.add_options()
    ("help,h", "this text")
    ("list,l", "name the figures and stop")
    ("filter,f", options::value<std::string>()->default_value(".*"), "regular expression: only figures whose name it finds")
    ("repetitions,n", options::value<int>()->default_value(9), "times each side is measured; medians count")
    ("seconds,s", options::value<double>()->default_value(0.05), "least time of one measurement")
    ("csv", options::value<std::string>(), "also write the rows to this file")
    ("python", options::value<std::string>()->default_value(""), "interpreter whose numpy and torch are timed too, e.g. python3; "
                                                                "empty: none")
    ("accuracy", "print the accuracy table of the polar factors, in Markdown, and stop");
  // clang-format on
  try {
    options::variables_map given;
    try {
      options::store(options::parse_command_line(argc, argv, described), given);
      options::notify(given);
    } catch (options::error const& e) {
      throw UsageError(e.what());
    }
    if (given.count("help")) {
      std::cout << described
                << "\nExit codes: 0 done (also when a figure is missed: the table says so), 64 usage, 74 a file "
                   "cannot be written.\nOne thread: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1.\n";
      return 0;
    }
    if (given["repetitions"].as<int>() < 1) throw UsageError("--repetitions must be at least 1");
    start_kokkos(kokkos);
    struct Started {
      ~Started() { Kokkos::finalize(); }
    } const started;
    return bench_main(given);
  } catch (kaon::Error const& e) {
    std::fprintf(stderr, "kaon-bench: %s\n", e.what());
    return static_cast<int>(e.code());
  } catch (std::exception const& e) {
    bool const memory = is_out_of_memory(e);
    std::fprintf(stderr, "kaon-bench: %s\n", memory ? out_of_memory_text(e).c_str() : e.what());
    return static_cast<int>(memory ? Exit::io : Exit::numerical);
  }
}

}  // namespace

int main(int argc, char** argv) {
  kaon::files::secure_standard_streams();
  return kaon::files::with_output_written("kaon-bench", program(argc, argv));
}
