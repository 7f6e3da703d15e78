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
/// (which must happen before MPI_Finalize).
class Communicator {
 public:
  explicit Communicator(MPI_Comm parent);
  ~Communicator();
  Communicator(Communicator const&) = delete;
  Communicator& operator=(Communicator const&) = delete;

  MPI_Comm get() const { return comm_; }
  int rank() const { return rank_; }
  int size() const { return size_; }

  /// Collective. These wait by testing and yielding the core, because MPI's blocking calls spin and starve the other ranks
  /// of a machine that runs more ranks than cores.
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
  /// For every rank the lowest rank that it shares memory with. Asks MPI the first time.
  std::vector<int> const& nodes() const;
  std::string broadcast(std::string const& text, int root) const;
  std::vector<std::string> gather(std::string const& mine) const;  ///< every rank's text, in rank order, on every rank
  bool same_everywhere(std::uint64_t value) const;                 ///< true when all ranks passed the same value

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  mutable std::vector<int> nodes_;
  int rank_ = 0;
  int size_ = 1;
};

/// Waits for a request by testing, with Patience.
void wait(MPI_Request& request, MPI_Status* status = MPI_STATUS_IGNORE);
void wait_all(std::vector<MPI_Request>& requests);

/// MPI_Finalize for programs, called by every rank in the place of it. MPICH before 4.2 over UCX and TCP hangs there now and
/// then: a rank waits for the answer of another that has gone on to a barrier outside MPI and answers no more. With up to 64
/// ranks this is avoided: every rank has something that every other must answer, and no rank answers before it has asked.
void finalize_mpi();

}  // namespace kaon

#endif
