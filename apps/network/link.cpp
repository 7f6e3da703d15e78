// kaon-link: latency and bandwidth between ranks as MPI gives them, to know which network a measurement was made on.
//
//   mpiexec -n 2 kaon-link
//
// Ranks r and r + R/2 talk, all pairs at once; with an odd number the last rank talks to rank 0 afterwards. Prints "name value"
// lines.
#include <kaon/cost/link_speed.hpp>
#include <kaon/files/standard_output.hpp>
#include <kaon/mpi/communicator.hpp>

#include <cstdio>
#include <exception>

namespace {

using namespace kaon;

int run(Communicator const& comm) {
  if (comm.size() < 2) {
    std::fprintf(stderr, "kaon-link: error: a link has two ends; start at least 2 ranks, e.g. mpiexec -n 2 kaon-link\n");
    return 64;
  }
  auto const r = measure_link(comm);
  auto const mbit = [](double bytes) { return 8e-6 * bytes; };
  if (comm.rank() == 0)
    std::printf(
        "ranks %d\nmessage_bytes %zu\nlatency_us %.1f\none_way_mbit %.1f\none_way_mbit_fastest %.1f\nboth_ways_mbit %.1f\n"
        "both_ways_mbit_fastest %.1f\n",
        comm.size(), r.size, 1e6 * r.latency, mbit(r.one_way), mbit(r.one_way_fastest), mbit(r.both_ways),
        mbit(r.both_ways_fastest));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  kaon::files::secure_standard_streams();
  MPI_Init(&argc, &argv);
  int code = 64;
  try {
    if (argc > 1) {
      std::fprintf(stderr, "kaon-link: error: it takes no arguments: mpiexec -n R kaon-link\n");
    } else {
      Communicator const comm(MPI_COMM_WORLD);
      code = run(comm);
    }
  } catch (std::exception const& e) {
    std::fprintf(stderr, "kaon-link: error: %s\n", e.what());
    MPI_Abort(MPI_COMM_WORLD, 74);
  }
  kaon::finalize_mpi();
  return kaon::files::with_output_written("kaon-link", code);
}
