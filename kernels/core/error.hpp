#ifndef KAON_CORE_ERROR_HPP
#define KAON_CORE_ERROR_HPP

#include <stdexcept>
#include <string>

namespace kaon {

/// Exit codes of the programs: an interface for batch scripts (sysexits.h numbers).
enum class Exit : int {
  finished = 0,
  usage = 64,      ///< command line or deck
  bad_input = 65,  ///< data, problem file or checkpoint
  numerical = 70,  ///< a NaN, an infinity, a failed invariant
  io = 74,         ///< the file system or the network failed
  stopped = 75,    ///< stopped early with a committed checkpoint: submit again
};

/// Base of every error that Kaon throws on purpose; carries the exit code of a program that dies of it.
class Error : public std::runtime_error {
 public:
  Error(Exit code, std::string const& what) : std::runtime_error(what), code_(code) {}
  Exit code() const { return code_; }

 private:
  Exit code_;
};

struct UsageError : Error {
  explicit UsageError(std::string const& what) : Error(Exit::usage, what) {}
};
struct InputError : Error {
  explicit InputError(std::string const& what) : Error(Exit::bad_input, what) {}
};
struct NumericalError : Error {
  explicit NumericalError(std::string const& what) : Error(Exit::numerical, what) {}
};
struct IoError : Error {
  explicit IoError(std::string const& what) : Error(Exit::io, what) {}
};

/// Throws std::invalid_argument when a caller broke a precondition (shape, aliasing, range). Active in release builds too.
inline void require(bool condition, char const* what) {
  if (!condition) throw std::invalid_argument(std::string("kaon: ") + what);
}

}  // namespace kaon

#endif
