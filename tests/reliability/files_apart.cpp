#include "files_apart.hpp"

#include <mpi.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace kaon::test {
namespace {

/// Shared with the child.
struct Slot {
  std::atomic<int> fate;
  char said[1000];
};
struct Board {
  std::atomic<std::size_t> next;
};

[[noreturn]] void work(Board& board, Slot* slots, std::size_t count, std::function<Verdict(std::size_t)> const& judge) {
  rlimit const none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  MPI_Init(nullptr, nullptr);
  for (std::size_t i; (i = board.next) < count; ++board.next) {
    Verdict v;
    try {
      v = judge(i);
    } catch (std::exception const& e) {
      v = {Fate::wrong, e.what()};
    }
    std::strncpy(slots[i].said, v.said.c_str(), sizeof slots[i].said - 1);
    slots[i].fate = static_cast<int>(v.fate);
  }
  MPI_Finalize();
  _exit(0);
}

/// Waits for the child's end; false when it made no progress for too long and was killed.
bool attend(pid_t child, Board const& board, double patience, int& status) {
  using Clock = std::chrono::steady_clock;
  auto since = Clock::now();
  for (std::size_t last = board.next;; usleep(2000)) {
    if (waitpid(child, &status, WNOHANG) == child) return true;
    if (std::size_t const now = board.next; now != last) last = now, since = Clock::now();
    if (std::chrono::duration<double>(Clock::now() - since).count() > patience) break;
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return false;
}

}  // namespace

char const* name_of(Fate fate) {
  char const* const names[fates] = {"untold", "refused", "harmless", "silent", "wrong", "crashed", "hung"};
  return names[static_cast<int>(fate)];
}

std::vector<Verdict> judge_apart(std::size_t count, double patience, std::function<Verdict(std::size_t)> const& judge) {
  std::size_t const bytes = sizeof(Board) + count * sizeof(Slot);
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
  auto& board = *new (memory) Board{};
  auto* const slots = reinterpret_cast<Slot*>(static_cast<char*>(memory) + sizeof(Board));  // zeros: untold
  while (board.next < count) {
    pid_t const child = fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child == 0) work(board, slots, count, judge);
    int status = 0;
    bool const ended = attend(child, board, patience, status);
    if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    if (board.next >= count) throw std::runtime_error("a child died after its last case");
    Slot& slot = slots[board.next];
    slot.fate = static_cast<int>(ended ? Fate::crashed : Fate::hung);
    if (ended) std::strncpy(slot.said, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exited", sizeof slot.said - 1);
    ++board.next;
  }
  std::vector<Verdict> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back({static_cast<Fate>(slots[i].fate.load()), slots[i].said});
  munmap(memory, bytes);
  return all;
}

}  // namespace kaon::test
