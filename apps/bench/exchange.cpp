// kaon-bench exchange: what messages cost between ranks, and a model of steps on more of them.
#include "exchange.hpp"
#include "measured_steps.hpp"

#include <kaon/core/error.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/run/start/prepare.hpp>
#include <kaon/run/start/threads.hpp>
#include <kaon/run/stop/leave.hpp>

#include <boost/program_options.hpp>

#include <Kokkos_Core.hpp>

#include <iostream>
#include <sstream>

namespace kaon::bench {

namespace exchange_program {

namespace options = boost::program_options;

std::vector<int> numbers(std::string const& text) {
  std::vector<int> out;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) {
    std::size_t used = 0;
    int value = 0;
    try {
      value = std::stoi(word, &used);
    } catch (std::exception const&) {
    }
    if (value < 1 || used != word.size()) throw UsageError("--ranks '" + text + "': a list of positive numbers, as 8,64,1024");
    out.push_back(value);
  }
  return out;
}

Exit exchange_body(int argc, char** argv) {
  Communicator const comm(MPI_COMM_WORLD);
  options::options_description described("kaon-bench exchange: under mpiexec; messages between the ranks, and a model of steps");
  // clang-format off
  described.add_options()
    ("help,h", "this text")
    ("mebibytes", options::value<int>()->default_value(64), "floats that are added up, in MiB")
    ("repetitions,n", options::value<int>()->default_value(9), "times each side is measured; medians count")
    ("deck,i", options::value<std::string>(), "model: predicted seconds a step of this deck, for every topology")
    ("ranks", options::value<std::string>(), "model: these numbers of ranks, one worker each (default: the deck's workers on the job's ranks)")
    ("mbit", options::value<double>(), "model: bandwidth of a rank's link in Mbit/s (default: measured between the ranks)")
    ("latency-us", options::value<double>(), "model: latency in microseconds (default: measured)")
    ("measured", options::value<double>(), "model: seconds a step to compare the deck's own prediction with")
    ("check", options::value<std::string>(), "model: the same, the median of this metrics.csv")
    ("skip", options::value<int>()->default_value(5), "model: steps of it that are left out")
    ("set", options::value<std::vector<std::string>>()->multitoken(), "model: section.key=value in the place of the deck's");
  // clang-format on
  options::variables_map given;
  try {
    options::store(options::parse_command_line(argc, argv, described), given);
    options::notify(given);
  } catch (options::error const& e) {
    throw UsageError(e.what());
  }
  if (given.count("help")) {
    if (comm.rank() == 0)
      std::cout << described
                << "\nExit codes: 0 done, 64 usage or deck, 65 data, 74 MPI or files. One thread a rank: OMP_NUM_THREADS=1.\n";
    return Exit::finished;
  }
  int const repetitions = given["repetitions"].as<int>(), mebibytes = given["mebibytes"].as<int>();
  if (repetitions < 1 || mebibytes < 1) throw UsageError("--repetitions and --mebibytes must be at least 1");
  int const threads = static_cast<int>(Kokkos::DefaultHostExecutionSpace().concurrency());
  set_waiting(cores_suffice(host_share(comm), threads, comm) ? Waiting::spin : Waiting::yield);
  if (given.count("deck")) {
    ModelOptions m;
    m.deck = given["deck"].as<std::string>();
    if (given.count("set")) m.overrides = given["set"].as<std::vector<std::string>>();
    if (given.count("ranks")) m.ranks = numbers(given["ranks"].as<std::string>());
    if (given.count("mbit")) m.bandwidth = given["mbit"].as<double>() * 1e6 / 8;
    if (given.count("latency-us")) m.latency = given["latency-us"].as<double>() * 1e-6;
    if (given.count("measured")) m.measured = given["measured"].as<double>();
    if (given.count("check")) m.measured = measured_seconds(given["check"].as<std::string>(), given["skip"].as<int>());
    if (m.measured && !m.ranks.empty()) throw UsageError("--measured and --check are of the job's own ranks: leave out --ranks");
    print_model(comm, m);
    return Exit::finished;
  }
  race_waits(comm, 20 * repetitions);
  if (comm.size() > 1) race_aggregation(comm, static_cast<std::size_t>(mebibytes) << 20, repetitions);
  return Exit::finished;
}

}  // namespace exchange_program

int exchange_main(int argc, char** argv, std::vector<std::string> const& kokkos) {
  using namespace exchange_program;
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int const code = leave_together("kaon-bench", [&] {
    start_kokkos(kokkos);
    return exchange_body(argc, argv);
  });
  if (Kokkos::is_initialized()) Kokkos::finalize();
  leave("kaon-bench", code);
}

}  // namespace kaon::bench
