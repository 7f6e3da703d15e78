// kaon-link: latency and bandwidth between ranks as MPI gives them, to know which network a measurement was made on.
//
//   mpiexec -n 2 kaon-link
//
// Ranks r and r + R/2 talk, all pairs at once; with an odd number the last rank talks to rank 0 afterwards. Prints "name value"
// lines.
#include <kaon/mpi/communicator.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

using namespace kaon;

constexpr int rounds_of_latency = 200;
constexpr std::size_t first_size = std::size_t(256) << 10, last_size = std::size_t(64) << 20;
constexpr double long_enough = 0.2;  // seconds: well beyond what the burst of a rate limiter lets through at once

class Pair {
 public:
  Pair(Communicator const& comm, int peer, bool first) : comm_(comm), peer_(peer), first_(first) {}

  double latency() {
    for (int k = 0; k < rounds_of_latency / 10; ++k) one_way(1);
    double const begin = MPI_Wtime();
    for (int k = 0; k < rounds_of_latency; ++k) one_way(1);
    return (MPI_Wtime() - begin) / rounds_of_latency / 2;
  }
  // Seconds of a message of this size and a byte back.
  double one_way(std::size_t size) {
    double const begin = MPI_Wtime();
    first_ ? (send(size), receive(1)) : (receive(size), send(1));
    return MPI_Wtime() - begin;
  }
  // Seconds of a message of this size in each direction at once.
  double both_ways(std::size_t size) {
    double const begin = MPI_Wtime();
    std::vector<MPI_Request> requests(2);
    KAON_MPI(MPI_Irecv(in_.data(), static_cast<int>(size), MPI_BYTE, peer_, 0, comm_.get(), &requests[0]));
    KAON_MPI(MPI_Isend(out_.data(), static_cast<int>(size), MPI_BYTE, peer_, 0, comm_.get(), &requests[1]));
    wait_all(requests);
    return MPI_Wtime() - begin;
  }

 private:
  void send(std::size_t size) {
    MPI_Request request;
    KAON_MPI(MPI_Isend(out_.data(), static_cast<int>(size), MPI_BYTE, peer_, 0, comm_.get(), &request));
    wait(request);
  }
  void receive(std::size_t size) {
    MPI_Request request;
    KAON_MPI(MPI_Irecv(in_.data(), static_cast<int>(size), MPI_BYTE, peer_, 0, comm_.get(), &request));
    wait(request);
  }

  Communicator const& comm_;
  int peer_;
  bool first_;
  std::vector<char> out_ = std::vector<char>(last_size), in_ = out_;
};

struct Result {
  double latency = 0, one_way = 0, both_ways = 0;  // the slowest and the fastest pair of ranks are told apart by the caller
  std::size_t size = 0;
};

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// Every rank of the communicator comes here; those without a peer only keep step.
Result measure(Communicator const& comm, int peer, bool first) {
  Result r;
  Pair pair(comm, peer, first);
  auto const all_at_once = [&](auto const& body) {
    comm.barrier();
    return peer < 0 ? 0.0 : body();
  };
  r.latency = all_at_once([&] { return pair.latency(); });
  r.size = first_size;
  while (r.size < last_size && comm.max(all_at_once([&] { return pair.one_way(r.size); })) < long_enough) r.size *= 2;
  std::vector<double> one, both;
  for (int k = 0; k < 3; ++k) one.push_back(all_at_once([&] { return pair.one_way(r.size); }));
  for (int k = 0; k < 3; ++k) both.push_back(all_at_once([&] { return pair.both_ways(r.size); }));
  r.one_way = median(one);
  r.both_ways = median(both);
  return r;
}

int run(Communicator const& comm) {
  int const ranks = comm.size(), me = comm.rank(), half = ranks / 2;
  if (ranks < 2) {
    std::fprintf(stderr, "kaon-link: error: a link has two ends; start at least 2 ranks, e.g. mpiexec -n 2 kaon-link\n");
    return 64;
  }
  double slowest_latency = 0, slowest = 1e300, fastest = 0, slowest_both = 1e300, fastest_both = 0;
  std::size_t size = 0;
  auto const round = [&](int peer, bool first) {
    Result const r = measure(comm, peer, first);
    auto const mbit = [&](double seconds) { return 8e-6 * static_cast<double>(r.size) / seconds; };
    slowest_latency = std::max(slowest_latency, comm.max(r.latency));
    slowest = std::min(slowest, mbit(comm.max(r.one_way)));
    slowest_both = std::min(slowest_both, mbit(comm.max(r.both_ways)));
    fastest = std::max(fastest, comm.max(peer < 0 ? 0 : mbit(r.one_way)));
    fastest_both = std::max(fastest_both, comm.max(peer < 0 ? 0 : mbit(r.both_ways)));
    size = r.size;
  };
  if (me < 2 * half)
    round(me < half ? me + half : me - half, me < half);
  else
    round(-1, false);
  if (ranks % 2 == 1) round(me == 0 ? ranks - 1 : me == ranks - 1 ? 0 : -1, me == 0);
  if (me == 0)
    std::printf(
        "ranks %d\nmessage_bytes %zu\nlatency_us %.1f\none_way_mbit %.1f\none_way_mbit_fastest %.1f\nboth_ways_mbit %.1f\n"
        "both_ways_mbit_fastest %.1f\n",
        ranks, size, 1e6 * slowest_latency, slowest, fastest, slowest_both, fastest_both);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
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
  return code;
}
