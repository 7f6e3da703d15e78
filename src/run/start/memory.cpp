#include <kaon/core/error.hpp>
#include <kaon/run/saving/beside.hpp>
#include <kaon/run/start/loaded_function.hpp>
#include <kaon/run/start/memory.hpp>

#include <fmt/format.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>
#include <string_view>
#include <vector>

namespace kaon {

namespace {

std::atomic<bool> stuck{false};

std::string size_text(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.0f} MB", bytes / 1e6) : fmt::format("{:.1f} GB", bytes / 1e9);
}

/// "Vm…: 1234 kB" of /proc/self/status, in bytes; 0 when it does not say.
double held(std::string_view key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.rfind(key, 0) == 0)
      if (auto const at = line.find_first_of("0123456789"); at != std::string::npos) return 1024 * std::stod(line.substr(at));
  return 0;
}

/// Whether so many pieces can be had at the same time.
bool can_have(int count, std::size_t bytes) {
  std::vector<void*> pieces;
  bool enough = true;
  for (int i = 0; i < count && enough; ++i) {
    void* const p = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    enough = p != MAP_FAILED;
    if (enough) pieces.push_back(p);
  }
  for (void* const p : pieces) ::munmap(p, bytes);
  return enough;
}

}  // namespace

void reserve_blas_memory(int calls, std::size_t piece) {
  if (!loaded_function<char*()>("openblas_get_config")) return;
  constexpr std::size_t edge = std::size_t(1) << 20;
  if (!can_have(calls, piece + edge)) {
    stuck = true;
    throw IoError(fmt::format(
        "OpenBLAS needs {} of address space for {} call{} at once, and cannot have it: {}. Cure: a higher limit (ulimit -v, the "
        "batch system's memory limit), or fewer threads a rank",
        size_text(static_cast<double>(piece) * calls), calls, calls == 1 ? "" : "s", memory_account()));
  }
  auto* const take = loaded_function<void*(int)>("blas_memory_alloc");
  auto* const give = loaded_function<void(void*)>("blas_memory_free");
  if (!take || !give) return;
  std::vector<void*> buffers;  // all at once, so that there are so many; OpenBLAS keeps them for its calls
  for (int i = 0; i < calls; ++i) buffers.push_back(take(0));
  for (void* const b : buffers) give(b);
}

bool blas_is_stuck() { return stuck; }

void prove_threads(int count) {
  struct Gate {
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static void* wait(void* gate) {
      auto* const g = static_cast<Gate*>(gate);
      pthread_mutex_lock(&g->lock);
      pthread_mutex_unlock(&g->lock);
      return nullptr;
    }
  } gate;
  std::vector<pthread_t> threads;
  int error = 0;
  pthread_mutex_lock(&gate.lock);  // all alive at once
  for (int i = 0; i < count && error == 0; ++i) {
    pthread_t t;
    error = pthread_create(&t, nullptr, Gate::wait, &gate);
    if (error == 0) threads.push_back(t);
  }
  pthread_mutex_unlock(&gate.lock);
  for (auto const t : threads) pthread_join(t, nullptr);
  if (error == 0) return;
  stuck = true;
  throw IoError(
      fmt::format("cannot start {} more threads, only {}: {}; {}. Cure: a higher limit (ulimit -u, ulimit -v), a smaller "
                  "stack (ulimit -s), or fewer threads a rank",
                  count, threads.size(), std::strerror(error), memory_account()));
}

bool is_out_of_memory(std::exception const& e) {
  if (dynamic_cast<std::bad_alloc const*>(&e)) return true;
  std::string_view const what = e.what();
  for (std::string_view const sign : {"failed to allocate memory", "insufficient memory", "out of memory", "OutOfMemory",
                                      "cudaErrorMemoryAllocation", "hipErrorOutOfMemory", "hipErrorMemoryAllocation"})
    if (what.find(sign) != std::string_view::npos) return true;
  return false;
}

std::string out_of_memory_text(std::exception const& e) {
  std::string const what = e.what();
  auto const between = [&](std::string_view before, std::string_view after) -> std::string {
    auto const at = what.find(before);
    if (at == std::string::npos) return {};
    auto const begin = at + before.size(), end = what.find(after, begin);
    return end == std::string::npos ? std::string() : what.substr(begin, end - begin);
  };
  // Kokkos: … for label "kaon::X". Allocation using MemorySpace named "Host" failed …: Allocation of size 68.72 G failed, …
  std::string const label = between("label \"", "\""), size = between("Allocation of size ", " failed"),
                    space = between("named \"", "\"");
  if (!size.empty())
    return fmt::format("out of memory: {}B asked for {}{}", size, label.empty() ? "an array" : label,
                       space.empty() ? "" : " in Kokkos' memory space " + space);
  return dynamic_cast<std::bad_alloc const*>(&e) ? "out of memory" : "out of memory: " + what;
}

std::string memory_account() {
  std::string out = fmt::format("this rank holds {}, {} of address space", size_text(held("VmRSS:")), size_text(held("VmSize:")));
  if (auto const free = available_memory(); free > 0)
    out += fmt::format("; its host has {} free", size_text(static_cast<double>(free)));
  struct rlimit limit {};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    out += fmt::format("; its address space is limited to {} (ulimit -v)", size_text(static_cast<double>(limit.rlim_cur)));
  return out;
}

}  // namespace kaon
