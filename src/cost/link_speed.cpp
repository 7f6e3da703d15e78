#include <kaon/cost/link_speed.hpp>

#include <kaon/mpi/pending.hpp>

#include <algorithm>
#include <vector>

namespace kaon {

namespace {

class Pair {
 public:
  Pair(Communicator const& comm, int peer, bool first, std::size_t most)
      : comm_(comm), peer_(peer), first_(first), traffic_(Piece(peer < 0 ? 0 : most), Piece(peer < 0 ? 0 : most)) {}

  // Seconds of half a round trip of one byte.
  double latency(int rounds) {
    for (int k = 0; k < rounds / 10; ++k) one_way(1);
    double const begin = MPI_Wtime();
    for (int k = 0; k < rounds; ++k) one_way(1);
    return (MPI_Wtime() - begin) / rounds / 2;
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
    begin_receive(size);
    begin_send(size);
    traffic_.wait();
    return MPI_Wtime() - begin;
  }

 private:
  using Piece = std::vector<char>;
  struct Traffic {
    Piece out, in;
  };
  void begin_send(std::size_t size) {
    KAON_MPI(MPI_Isend(traffic_->out.data(), static_cast<int>(size), MPI_BYTE, peer_, 0, comm_.get(), traffic_.request()));
  }
  void begin_receive(std::size_t size) {
    KAON_MPI(MPI_Irecv(traffic_->in.data(), static_cast<int>(size), MPI_BYTE, peer_, 0, comm_.get(), traffic_.request()));
  }
  void send(std::size_t size) {
    begin_send(size);
    traffic_.wait();
  }
  void receive(std::size_t size) {
    begin_receive(size);
    traffic_.wait();
  }

  Communicator const& comm_;
  int peer_;
  bool first_;
  Pending<Traffic> traffic_;
};

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// Every rank of the communicator comes here; those without a peer only keep step.
void measure(LinkReport& report, Communicator const& comm, int peer, bool first, LinkEffort const& effort) {
  Pair pair(comm, peer, first, effort.most);
  auto const all_at_once = [&](auto const& body) {
    comm.barrier();
    return peer < 0 ? 0.0 : body();
  };
  report.latency = std::max(report.latency, comm.max(all_at_once([&] { return pair.latency(effort.round_trips); })));
  std::size_t size = std::min(effort.most, std::size_t(64) << 10);
  while (size < effort.most && comm.max(all_at_once([&] { return pair.one_way(size); })) < effort.seconds) size *= 2;
  std::vector<double> one, both;
  for (int k = 0; k < 3; ++k) one.push_back(all_at_once([&] { return pair.one_way(size); }));
  for (int k = 0; k < 3; ++k) both.push_back(all_at_once([&] { return pair.both_ways(size); }));
  auto const rate = [&](double seconds) { return static_cast<double>(size) / seconds; };
  auto const note = [&](double& slowest, double& fastest, double mine) {
    double const slow = rate(comm.max(mine)), fast = comm.max(peer < 0 ? 0.0 : rate(mine));
    slowest = slowest == 0 ? slow : std::min(slowest, slow);
    fastest = std::max(fastest, fast);
  };
  note(report.one_way, report.one_way_fastest, median(one));
  note(report.both_ways, report.both_ways_fastest, median(both));
  report.size = std::max(report.size, size);
}

}  // namespace

LinkReport measure_link(Communicator const& comm, LinkEffort const& effort) {
  LinkReport report;
  int const ranks = comm.size(), me = comm.rank(), half = ranks / 2;
  if (ranks < 2) return report;
  int const peer = me >= 2 * half ? -1 : me < half ? me + half : me - half;
  measure(report, comm, peer, me < half, effort);
  if (ranks % 2 == 1) measure(report, comm, me == 0 ? ranks - 1 : me == ranks - 1 ? 0 : -1, me == 0, effort);
  return report;
}

}  // namespace kaon
