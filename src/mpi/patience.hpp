#ifndef KAON_MPI_PATIENCE_HPP
#define KAON_MPI_PATIENCE_HPP

#include <cstdint>
#include <functional>
#include <string>

namespace kaon {

/// How to wait for messages. MPI's own blocking calls spin, which starves the other ranks of a host that runs more ranks and
/// threads than cores.
enum class Waiting {
  spin,   ///< test again at once, and yield the core now and then: every rank has a core of its own
  yield,  ///< yield the core after every test, and sleep a little when it takes long
};

/// The default is yield.
void set_waiting(Waiting how);
Waiting waiting();

/// This thread yields from now on, whatever the others do: it works beside them and has no core of its own.
void always_yield_here();

/// When a wait is spoken of and when it ends the program: a rank that is dead or hangs must not keep the others for ever.
struct WaitLimits {
  double warn = 60;       ///< seconds; again after twice, four times … as many
  double give_up = 1800;  ///< seconds; 0: never
};
/// `say` gets the warnings; it may be called by any thread that waits.
void set_wait_limits(WaitLimits limits, std::function<void(std::string const&)> say);
WaitLimits wait_limits();

/// What this thread does, for the texts of its waits, as long as the object lives: "saving step 12". They may be nested.
class Doing {
 public:
  explicit Doing(std::string what);
  ~Doing();
  Doing(Doing const&) = delete;
  Doing& operator=(Doing const&) = delete;

 private:
  std::string what_;
  std::string const* before_;
};

/// Microseconds that pause() number `pauses` of a wait sleeps where waits yield.
long nap_microseconds(std::uint64_t pauses);

/// One wait: pause() between two tests.
class Patience {
 public:
  /// `awaited` () tells what is missing, as text. It must outlive the object. `indulgence`: the limits are so many times longer,
  /// for waits that others explain better.
  template <class F>
  explicit Patience(F const& awaited, double indulgence = 1)
      : awaited_(&awaited),
        call_([](void const* f) -> std::string { return (*static_cast<F const*>(f))(); }),
        indulgence_(indulgence) {}
  template <class F>
  explicit Patience(F const&& awaited, double indulgence = 1) = delete;  // it would not outlive the object

  /// Throws IoError, with what is missing, when the wait has reached its limit.
  void pause();

 private:
  void look();

  void const* awaited_;
  std::string (*call_)(void const*);
  double indulgence_;
  std::uint64_t pauses_ = 0;      // 2³¹ of them take less than the default limit when they spin
  double begin_ = -1, warn_ = 0;  // seconds of the steady clock; of waiting
};

}  // namespace kaon

#endif
