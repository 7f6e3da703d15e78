#ifndef KAON_CHECKPOINT_BALLOT_HPP
#define KAON_CHECKPOINT_BALLOT_HPP

#include <kaon/core/error.hpp>
#include <kaon/mpi/communicator.hpp>

#include <string>

namespace kaon {

/// The file system failed, and every rank learns of it in the same call: all of them may go on, together.
struct AgreedIoError : IoError {
  using IoError::IoError;
};

/// Keeps the ranks together when one of them fails: local work runs inside attempt(), which catches; vote() then throws on
/// every rank, or on none.
class Ballot {
 public:
  explicit Ballot(Communicator const& comm) : comm_(comm) {}

  /// Runs `work` and remembers the first failure. Runs even after a failure: `work` may take part in communication.
  template <class F>
  void attempt(F&& work) {
    try {
      work();
    } catch (Error const& e) {
      fail(e.code(), e.what());
    } catch (std::exception const& e) {
      fail(Exit::io, e.what());
    }
  }
  bool ok() const { return error_.empty(); }
  void fail(Exit code, std::string const& why);

  /// Collective. Empty when every rank is content, else every failed rank's reason; forgets the failures.
  std::string reasons();
  /// Collective. Throws the same error (InputError or AgreedIoError) on every rank when any failed: "<doing> failed: <reasons>".
  void vote(std::string const& doing);

 private:
  Communicator const& comm_;
  std::string error_;
  Exit code_ = Exit::io;
};

}  // namespace kaon

#endif
