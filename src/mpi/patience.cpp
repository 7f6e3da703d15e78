#include <kaon/mpi/patience.hpp>

#include <kaon/core/error.hpp>

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>

namespace kaon {

namespace {

std::atomic<Waiting> policy{Waiting::yield};

std::mutex limits_mutex;
WaitLimits limits;
std::function<void(std::string const&)> speak;

thread_local std::string const* doing = nullptr;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string seconds(double s) { return std::to_string(static_cast<long>(s + 0.5)) + " s"; }
thread_local bool guest = false;

}  // namespace

void set_waiting(Waiting how) { policy = how; }
Waiting waiting() { return guest ? Waiting::yield : policy.load(); }
void always_yield_here() { guest = true; }

void set_wait_limits(WaitLimits l, std::function<void(std::string const&)> say) {
  std::lock_guard const lock(limits_mutex);
  limits = l;
  speak = std::move(say);
}

WaitLimits wait_limits() {
  std::lock_guard const lock(limits_mutex);
  return limits;
}

Doing::Doing(std::string what) : what_(std::move(what)), before_(doing) { doing = &what_; }
Doing::~Doing() { doing = before_; }

void Patience::look() {
  double const t = now();
  if (begin_ < 0) begin_ = t;
  auto const l = wait_limits();
  double const waited = t - begin_;
  bool const over = l.give_up > 0 && waited >= l.give_up * indulgence_;
  double const next = warn_ > 0 ? 2 * warn_ : l.warn;
  if (!over && (next <= 0 || waited < next)) return;
  warn_ = next;
  std::string what = call_(awaited_);
  if (doing) what += ", " + *doing;
  if (over)
    throw IoError("waited " + seconds(waited) + " for " + what +
                  ": a rank is dead or hangs, or exchange.patience is less than the ranks need to wait for each other");
  std::lock_guard const lock(limits_mutex);
  if (speak) speak("waiting for " + seconds(waited) + " now for " + what);
}

namespace {
// A yield costs next to nothing when nobody else wants the core. A rank whose peers compute for long must not keep asking:
// every test is a system call or more when messages cross a network.
constexpr std::uint64_t eager = 200, longest = 50;  // pauses; microseconds
}  // namespace

long nap_microseconds(std::uint64_t pauses) {
  return pauses <= eager ? 0 : static_cast<long>(std::min(longest, (pauses - eager) / 20 + 1));
}

void Patience::pause() {
  ++pauses_;
  if (waiting() == Waiting::spin) {
    // A rank that waits for long may well have a neighbour that the host did not tell of.
    if (pauses_ > 10000 && pauses_ % 16 == 0) sched_yield();
    if (pauses_ % 65536 == 0) look();
    return;
  }
  sched_yield();
  if (pauses_ <= eager) return;
  if (pauses_ % 64 == 0) look();
  timespec const nap{0, 1000L * nap_microseconds(pauses_)};
  nanosleep(&nap, nullptr);
}

}  // namespace kaon
