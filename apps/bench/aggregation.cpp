// Star aggregation and waiting: Kaon's way against MPI's collectives.
#include "exchange.hpp"

#include <kaon/core/error.hpp>
#include <kaon/core/types.hpp>
#include <kaon/exchange/mailbox.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/mpi/patience.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>

namespace kaon::bench {

namespace aggregation {

using Space = Kokkos::DefaultHostExecutionSpace;  // messages lie in host memory

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// Seconds of the slowest rank.
double timed(Communicator const& comm, std::function<void()> const& body) {
  comm.barrier();
  double const begin = MPI_Wtime();
  body();
  return comm.max(MPI_Wtime() - begin);
}

/// The sum of all ranks' floats at rank 0, in the order of the ranks. Pieces of a message let adding begin while the rest is
/// still on its way; they come through the exchange's mailbox, as its packets do.
class Star {
 public:
  Star(Communicator const& comm, Vector<float, Space> const& mine, std::size_t piece)
      : comm_(comm), mail_(comm), mine_(mine), piece_(piece), pieces_((mine.extent(0) + piece - 1) / piece) {
    for (std::size_t p = 0; p < pieces_; ++p)
      for (int r = 1; r < comm.size(); ++r) {
        int const tag = static_cast<int>(p);
        if (comm.rank() == 0) inboxes_.push_back(mail_.add_inbox(r, tag, count(p) * sizeof(float), "piece"));
      }
    if (comm.rank() > 0)
      for (std::size_t p = 0; p < pieces_; ++p) outboxes_.push_back(mail_.add_outbox(count(p) * sizeof(float), 1, "a piece"));
    mail_.ready();
  }
  void run(Vector<float, Space> const& sum) {
    Space const exec;
    if (comm_.rank() > 0) {
      for (std::size_t p = 0; p < pieces_; ++p) {
        auto const out = mail_.writable(outboxes_[p]);  // a packet is made in its buffer: this copy stands for the encoder
        std::memcpy(out.data(), mine_.data() + p * piece_, count(p) * sizeof(float));
        mail_.send(outboxes_[p], count(p) * sizeof(float), 0, static_cast<int>(p));
      }
      mail_.flush();
      return;
    }
    for (int const box : inboxes_) mail_.open(box);
    auto const others = static_cast<std::size_t>(comm_.size() - 1);
    for (std::size_t p = 0; p < pieces_; ++p) {
      Matrix<float, Space> const to(sum.data() + p * piece_, 1, count(p));
      copy<float>(exec, to, ConstMatrix<float, Space>(mine_.data() + p * piece_, 1, count(p)));
      for (std::size_t r = 0; r < others; ++r) {
        auto const awaited = [] { return std::string("a piece"); };
        int const box = inboxes_[p * others + r];
        mail_.poll();
        for (Patience patience(awaited); !mail_.arrived(box); patience.pause()) mail_.poll();
        axpy<float>(exec, to, 1.0f,
                    ConstMatrix<float, Space>(reinterpret_cast<float const*>(mail_.message(box).data()), 1, count(p)));
      }
    }
    exec.fence();
  }

 private:
  std::size_t count(std::size_t p) const { return std::min(piece_, mine_.extent(0) - p * piece_); }
  Communicator const& comm_;
  Mailbox mail_;
  Vector<float, Space> mine_;
  std::size_t piece_, pieces_;
  std::vector<int> inboxes_, outboxes_;
};

}  // namespace aggregation

void race_aggregation(Communicator const& comm, std::size_t bytes, int repetitions) {
  using namespace aggregation;
  std::size_t const n = bytes / sizeof(float);
  Vector<float, Space> const mine("kaon::bench::mine", n), sum("kaon::bench::sum", n), reduced("kaon::bench::reduced", n);
  Kokkos::deep_copy(mine, 1.0f + static_cast<float>(comm.rank()));
  Star star(comm, mine, std::size_t(1) << 18);
  std::vector<double> ours, reduce, allreduce, copying;
  for (int k = 0; k <= repetitions; ++k) {
    double const a = timed(comm, [&] { star.run(sum); });
    double const b = timed(
        comm, [&] { KAON_MPI(MPI_Reduce(mine.data(), reduced.data(), static_cast<int>(n), MPI_FLOAT, MPI_SUM, 0, comm.get())); });
    double const c = timed(
        comm, [&] { KAON_MPI(MPI_Allreduce(mine.data(), reduced.data(), static_cast<int>(n), MPI_FLOAT, MPI_SUM, comm.get())); });
    double const d = timed(comm, [&] { std::memcpy(reduced.data(), mine.data(), bytes); });
    if (k == 0) continue;  // pages and connections
    ours.push_back(a), reduce.push_back(b), allreduce.push_back(c), copying.push_back(d);
  }
  float const should = 0.5f * static_cast<float>(comm.size() * (comm.size() + 1));
  bool const right = comm.rank() != 0 || (sum(0) == should && sum(n - 1) == should);
  if (!comm.all(right)) throw IoError("the sum is wrong");
  double const t = median(ours);
  if (comm.rank() != 0) return;
  std::printf(
      "aggregation of %zu MiB of floats from %d ranks, medians of %d: receive and add %.1f ms, MPI_Reduce %.1f ms (%.2fx), "
      "MPI_Allreduce %.1f ms (%.2fx), memcpy on every rank %.1f ms\n",
      bytes >> 20, comm.size(), repetitions, 1e3 * t, 1e3 * median(reduce), median(reduce) / t, 1e3 * median(allreduce),
      median(allreduce) / t, 1e3 * median(copying));
}

void race_waits(Communicator const& comm, int repetitions) {
  using namespace aggregation;
  std::vector<double> blocking, ours;
  for (int k = 0; k <= repetitions; ++k) {
    double one = 1, all = 0;
    double const a = timed(comm, [&] { KAON_MPI(MPI_Allreduce(&one, &all, 1, MPI_DOUBLE, MPI_SUM, comm.get())); });
    double const b = timed(comm, [&] { comm.max(one); });
    if (k > 0) blocking.push_back(a), ours.push_back(b);
  }
  if (comm.rank() == 0)
    std::printf("all-reduce of one number on %d ranks, medians of %d: MPI's blocking %.3f ms, Kaon's (%s) %.3f ms\n", comm.size(),
                repetitions, 1e3 * median(blocking), waiting() == Waiting::spin ? "spins" : "yields", 1e3 * median(ours));
}

}  // namespace kaon::bench
