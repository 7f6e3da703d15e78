// kaon-bench checkpoint: what a checkpoint costs beside a bare write of the same bytes.
#include "checkpoint.hpp"
#include "checkpoint_state.hpp"

#include <kaon/checkpoint/checkpoints.hpp>
#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/snapshot.hpp>
#include <kaon/checkpoint/writer.hpp>
#include <kaon/core/error.hpp>
#include <kaon/run/stop/leave.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <boost/program_options.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>

namespace kaon::bench {
namespace {

namespace options = boost::program_options;

struct Row {
  char const* what;
  std::vector<double> seconds;
  double memory = 0;  ///< the largest rise of any rank, in bytes
  double median() const {
    auto s = seconds;
    std::sort(s.begin(), s.end());
    return s[s.size() / 2];
  }
};

/// All ranks begin together, and the last one ends it.
void time(Communicator const& comm, Row& row, std::function<void()> const& work) {
  comm.barrier();
  PeakMemory const memory;
  double const begin = steady_seconds();
  work();
  row.seconds.push_back(comm.max(steady_seconds() - begin));
  row.memory = std::max(row.memory, comm.max(static_cast<double>(memory.rise())));
}

void measure(Communicator const& comm, MadeUpState const& state, std::string const& directory, int repetitions) {
  std::string const folder = directory + "/kaon-bench-checkpoint", bare = folder + "/bare", file = folder + "/file.h5";
  Checkpoints store(comm, folder, 1);
  store.prepare();
  CheckpointInfo info;
  info.precision = "float32";
  info.deck = "made up\n";
  info.created = utc_now();
  auto const& registry = state.registry();
  auto const places = bare_places(comm, registry);
  auto const remove = [&](std::string const& path) {
    comm.barrier();
    if (comm.rank() == 0) folder::remove(path);
    comm.barrier();
  };

  Row raw{"bare write and fsync", {}}, hdf5{"HDF5 file, hashes and fsync", {}},
      whole{"the whole save: also read back and committed", {}},
      copy{"copy of the state: what a save beside the training blocks", {}};
  std::uint64_t file_size = 0;
  std::function<void()> const tasks[] = {[&] {
                                           time(comm, raw, [&] { write_bare(bare, registry, places); });
                                           remove(bare);
                                         },
                                         [&] {
                                           time(comm, hdf5, [&] {
                                             write_checkpoint(comm, file, info, registry);
                                             folder::sync(file);
                                           });
                                           file_size = std::filesystem::file_size(file);
                                           remove(file);
                                         },
                                         [&] {
                                           time(comm, whole, [&] { store.save(info, registry); });
                                           remove(store.resolve("latest"));
                                         }};
  std::array order{0, 1, 2};  // in all orders, as often each: what was written and deleted before slows a disk
  for (int r = 0; r < repetitions; ++r) {
    info.step = static_cast<std::uint64_t>(r);
    for (int const k : order) tasks[k]();
    std::next_permutation(order.begin(), order.end());
  }
  Snapshot snapshot;
  for (int r = 0; r < repetitions; ++r) time(comm, copy, [&] { snapshot.take(registry); });
  comm.barrier();
  if (comm.rank() != 0) return;
  std::filesystem::remove_all(folder);

  double const bytes = static_cast<double>(state.bytes());
  std::printf("state of %.1f MB on %d ranks, layers of %.1f MB; medians of %d\n\n", bytes / 1e6, comm.size(),
              static_cast<double>(state.layer_bytes()) / 1e6, repetitions);
  std::printf("| what | s | MB/s | speed over the bare write's | memory above the state, MB a rank |\n|---|---|---|---|---|\n");
  for (Row const* row : {&raw, &hdf5, &whole, &copy})
    std::printf("| %s | %.3f | %.0f | %.2f | %.1f |\n", row->what, row->median(), bytes / row->median() / 1e6,
                raw.median() / row->median(), row->memory / 1e6);
  std::printf("\nfile over state: %.4f\n", static_cast<double>(file_size) / bytes);
}

Exit body(int argc, char** argv) {
  Communicator const comm(MPI_COMM_WORLD);
  options::options_description described(
      "kaon-bench checkpoint: alone or under mpiexec; a save beside a bare write of the same bytes");
  // clang-format off
  described.add_options()
    ("help,h", "this text")
    ("megabytes", options::value<double>()->default_value(1000), "size of the state, about")
    ("side", options::value<int>()->default_value(1024), "layers are square matrices of floats of this side")
    ("workers", options::value<int>()->default_value(4), "each has two matrices for every layer; the server has three")
    ("directory,d", options::value<std::string>()->default_value("."), "where to write")
    ("repetitions,n", options::value<int>()->default_value(6), "times each is measured, in all six orders; medians count");
  // clang-format on
  options::variables_map given;
  try {
    options::store(options::parse_command_line(argc, argv, described), given);
    options::notify(given);
  } catch (options::error const& e) {
    throw UsageError(e.what());
  }
  if (given.count("help")) {
    if (comm.rank() == 0) std::cout << described << "\nExit codes: 0 done, 64 usage, 74 MPI or files.\n";
    return Exit::finished;
  }
  int const side = given["side"].as<int>(), workers = given["workers"].as<int>(), repetitions = given["repetitions"].as<int>();
  double const megabytes = given["megabytes"].as<double>();
  if (side < 1 || workers < 1 || repetitions < 1 || !(megabytes > 0))
    throw UsageError("--megabytes, --side, --workers and --repetitions must be positive");
  double const layer = 4.0 * side * side * (3 + 2 * workers);
  MadeUpState const state(comm, std::max(1, static_cast<int>(std::lround(megabytes * 1e6 / layer))), workers, side);
  measure(comm, state, given["directory"].as<std::string>(), repetitions);
  return Exit::finished;
}

}  // namespace

int checkpoint_main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int const code = leave_together("kaon-bench", [&] { return body(argc, argv); });
  finalize_mpi();
  return code;
}

}  // namespace kaon::bench
