#include <kaon/mpi/patience.hpp>

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>

namespace kaon {

namespace {
std::atomic<Waiting> policy{Waiting::yield};
thread_local bool guest = false;
}  // namespace

void set_waiting(Waiting how) { policy = how; }
Waiting waiting() { return guest ? Waiting::yield : policy.load(); }
void always_yield_here() { guest = true; }

void Patience::pause() {
  ++pauses_;
  if (waiting() == Waiting::spin) {
    // A rank that waits for long may well have a neighbour that the host did not tell of.
    if (pauses_ > 10000 && pauses_ % 16 == 0) sched_yield();
    return;
  }
  // A yield costs next to nothing when nobody else wants the core. A rank whose peers compute for long must not keep asking:
  // every test is a system call or more when messages cross a network.
  constexpr int eager = 200, longest = 50;  // pauses; microseconds
  sched_yield();
  if (pauses_ <= eager) return;
  timespec const nap{0, 1000L * std::min(longest, (pauses_ - eager) / 20 + 1)};
  nanosleep(&nap, nullptr);
}

}  // namespace kaon
