#ifndef KAON_MPI_COMMUNICATOR_HPP
#define KAON_MPI_COMMUNICATOR_HPP

#include <mpi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace kaon {

/// Throws IoError with MPI's own text when `code` is not MPI_SUCCESS.
void mpi_check(int code, char const* call);
#define KAON_MPI(call) ::kaon::mpi_check((call), #call)

/// An element-by-element sum over all ranks that is under way. `mine` must stay as it is until the wait is over.
struct PendingSum {
  std::vector<double> mine, total;
  MPI_Request request = MPI_REQUEST_NULL;

  PendingSum() = default;
  /// A sum that is still under way, after an error, cannot be taken back: its numbers are then left where MPI will look for them.
  ~PendingSum();
  PendingSum(PendingSum const&) = delete;
  PendingSum& operator=(PendingSum const&) = delete;
};

/// Kaon's own communicator: a duplicate of the caller's, with errors returned instead of aborting. Freed on destruction
/// (which must happen before MPI_Finalize), but where an exception ends it: messages may be under way then, and MPI would give
/// them to the next communicator in its place.
class Communicator {
 public:
  explicit Communicator(MPI_Comm parent);
  /// Collective over `whole`: the ranks that name the same part (not negative), in their order there.
  Communicator(Communicator const& whole, int part);
  ~Communicator();
  Communicator(Communicator const&) = delete;
  Communicator& operator=(Communicator const&) = delete;

  MPI_Comm get() const { return comm_; }
  int rank() const { return rank_; }
  int size() const { return size_; }

  /// Collective. These wait by testing and yielding the core, because MPI's blocking calls spin and starve the other ranks
  /// of a machine that runs more ranks than cores. Whatever MPI reads and writes is copied: after a wait that ran out (IoError)
  /// no memory of the caller's is in its hands.
  void barrier() const;
  void broadcast(void* data, std::size_t bytes, int root) const;
  bool all(bool mine) const;                  ///< true when every rank says true
  std::int64_t max(std::int64_t mine) const;  ///< the largest value of all ranks
  double max(double mine) const;
  std::int64_t sum(std::int64_t mine) const;
  void sum_each(std::vector<double>& values) const;  ///< element by element; exact where at most one rank's value is not zero
  void sum_each(std::vector<std::int64_t>& values) const;
  /// Starts the sum; wait(sum.request) ends it, and total then has the same bits on every rank. Exact where at most one rank's
  /// value is not zero, and for whole numbers below 2^53.
  void begin_sum(PendingSum& sum) const;
  /// For every rank the lowest rank that it shares memory with. Asks MPI the first time, when all ranks are there.
  std::vector<int> const& nodes() const;
  std::string broadcast(std::string const& text, int root) const;
  std::vector<std::string> gather(std::string const& mine) const;  ///< every rank's text, in rank order, on every rank
  bool same_everywhere(std::uint64_t value) const;                 ///< true when all ranks passed the same value
  /// Between two ranks, any number of bytes, waiting as the collectives do. The receiver knows how many.
  void send(void const* data, std::size_t bytes, int to, int tag) const;
  void receive(void* data, std::size_t bytes, int from, int tag) const;

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  mutable std::vector<int> nodes_;
  int rank_ = 0;
  int size_ = 1;
  int exceptions_;  ///< in flight when the object was made
};

/// Waits for a request by testing, with Patience.
void wait(MPI_Request& request, MPI_Status* status = MPI_STATUS_IGNORE);
void wait_all(std::vector<MPI_Request>& requests);

/// MPI_Finalize for programs, called by every rank in the place of it. MPICH before 4.2 over UCX and TCP hangs there now and
/// then: a rank waits for the answer of another that has gone on to a barrier outside MPI and answers no more. With up to 64
/// ranks this is avoided: every rank has something that every other must answer, and no rank answers before it has asked.
/// Where that cannot be (a rank is dead or hangs), says so and ends the job with exit code 74.
void finalize_mpi();
/// The first half of it, after which MPI_Finalize does not hang. Throws IoError where a rank does not come.
void meet_before_finalize();

}  // namespace kaon

#endif
