#include "watch.hpp"

#include <string_view>

namespace kaon::test {
namespace {

Seen* watcher = nullptr;

// Counting may not be counted.
struct Uncounted {
  long const before = heap_calls();
  ~Uncounted() { set_heap_calls(before); }
};

void saw_kernel(char const* label, std::uint32_t, std::uint64_t*) {
  if (!watcher) return;
  Uncounted const uncounted;
  std::string const name = label;
  watcher->kernels.insert(name);
  if (name.rfind("example::", 0) != 0) ++watcher->launches;
}
void saw_allocation(Kokkos_Profiling_SpaceHandle, char const* label, void const*, std::uint64_t bytes) {
  if (!watcher || bytes == 0) return;  // no bytes: Kokkos' report of the scratch that a team on a GPU does not ask for
  Uncounted const uncounted;
  ++watcher->allocations[label];
}
void saw_copy(Kokkos_Profiling_SpaceHandle, char const*, void const*, Kokkos_Profiling_SpaceHandle, char const*, void const*,
              std::uint64_t) {
  if (watcher) ++watcher->copies;
}
void saw_fence(char const* name, std::uint32_t, std::uint64_t*) {
  if (watcher && std::string_view(name).find("Unnamed") != std::string_view::npos) ++watcher->fences;
}

}  // namespace

Watch::Watch() {
  using namespace Kokkos::Tools::Experimental;
  set_begin_parallel_for_callback(saw_kernel);
  set_begin_parallel_reduce_callback(saw_kernel);
  set_begin_parallel_scan_callback(saw_kernel);
  set_allocate_data_callback(saw_allocation);
  set_begin_deep_copy_callback(saw_copy);
  set_begin_fence_callback(saw_fence);
  watcher = &seen_;
  heap_before_ = heap_calls();
}

Watch::~Watch() { watcher = nullptr; }

}  // namespace kaon::test
