#ifndef KAON_STEP_AGREEMENT_HPP
#define KAON_STEP_AGREEMENT_HPP

#include <kaon/core/error.hpp>
#include <kaon/mpi/communicator.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <span>
#include <string>

namespace kaon {

/// The one sum over all ranks that a step ends with: the losses of all shares, what came of the step before, numbers of the
/// caller's own, and whether a rank cannot go on. It is begun when a rank's gradients are done, and hidden behind the servers'
/// work.
class Agreement {
 public:
  /// Fills what this rank brings.
  using Bring = std::function<void(std::span<double>)>;

  /// `shares`: of all ranks, workers × micro-batches.
  Agreement(Communicator const& comm, std::size_t shares) : comm_(comm), shares_(shares) {}
  /// From the next step on `count` numbers of every rank are summed along.
  void add(std::size_t count, Bring bring);

  /// A step begins; its losses are zero until they are set. The one before must be over.
  void clear();
  double& loss(std::size_t share) { return sum_.mine[share]; }
  /// `still`, `turned`: counts of layers.
  void begin(int still, int turned);
  bool done();

  /// This rank cannot go on: tells the others, in the place of begin() or after clear() alone. True when all of them know within
  /// `seconds`; then every rank calls tell(). Otherwise they did not come, and the caller alone can say what happened.
  template <class Poll>
  bool refuse(Exit code, std::string text, double seconds, Poll&& poll) {
    post_trouble(code, std::move(text));
    for (Countdown rest(seconds); !done(); rest.pause()) {
      if (rest.over()) return false;
      poll();
    }
    return true;
  }
  /// Whether a rank is known to be unable to go on.
  bool trouble();
  /// Collective, where trouble() is true: throws what the first such rank said, on every rank, as an error of the same kind.
  [[noreturn]] void tell() const;

  // When it is done.
  std::span<double const> losses() const { return total().first(shares_); }
  int still() const { return static_cast<int>(sum_.total[shares_]); }
  int turned() const { return static_cast<int>(sum_.total[shares_ + 1]); }
  std::span<double const> brought() const { return total().subspan(shares_ + numbers); }

 private:
  static constexpr std::size_t numbers = 3;  // still, turned, trouble
  struct Countdown {
    explicit Countdown(double seconds);
    bool over() const;
    void pause() const;
    double end;
  };
  std::span<double const> total() const { return sum_.total; }
  void post_trouble(Exit code, std::string text);

  Communicator const& comm_;
  std::size_t shares_, brought_ = 0;
  Bring bring_;
  PendingSum sum_;
  bool begun_ = false, done_ = false;
  std::string said_;  ///< exit code and text of this rank's trouble; empty: it has none
};

/// Throws `text` as the error that a program ends of with `code`; a std::runtime_error where that is none of Kaon's.
[[noreturn]] void throw_as(Exit code, std::string const& text);
/// The code that throw_as() would make such an exception of. 0 stands for exceptions that are not Kaon's.
Exit code_of(std::exception const& e);

}  // namespace kaon

#endif
