#ifndef KAON_MPI_PENDING_HPP
#define KAON_MPI_PENDING_HPP

#include <kaon/mpi/communicator.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace kaon {

/// Keeps what `memory` points to until the process ends. Never throws.
void leave_to_mpi(void const* memory) noexcept;
/// How many times that happened in this process.
std::size_t left_to_mpi();

/// Operations that MPI has been given, and the memory that it reads and writes for them. After a wait that ran out, or an error,
/// the operation goes on inside MPI: a late peer's data are still written. So the memory is on the heap, and is left to MPI where
/// the object ends before its operations do.
///
///   Pending<std::vector<char>> message(first, last);  // Buffers{first, last}
///   KAON_MPI(MPI_Isend(message->data(), n, MPI_CHAR, to, tag, comm, message.request()));
///   message.wait();
template <class Buffers>
class Pending {
 public:
  template <class... Arguments>
  explicit Pending(Arguments&&... arguments) : buffers_(new Buffers{std::forward<Arguments>(arguments)...}) {}
  ~Pending() {
    if (std::any_of(requests_.begin(), requests_.end(), [](MPI_Request r) { return r != MPI_REQUEST_NULL; }))
      leave_to_mpi(buffers_.release());
  }
  Pending(Pending const&) = delete;
  Pending& operator=(Pending const&) = delete;

  Buffers& operator*() const { return *buffers_; }
  Buffers* operator->() const { return buffers_.get(); }
  /// For the next operation; valid until the one after it.
  MPI_Request* request() { return &requests_.emplace_back(MPI_REQUEST_NULL); }
  /// Waits for all of them. Throws IoError.
  void wait() { wait_all(requests_); }

 private:
  std::unique_ptr<Buffers> buffers_;
  std::vector<MPI_Request> requests_;
};

}  // namespace kaon

#endif
