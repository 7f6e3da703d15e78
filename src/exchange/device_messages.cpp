#include <kaon/exchange/device_messages.hpp>

#include <kaon/core/error.hpp>

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace kaon {

DeviceMessages device_messages_named(std::string const& name) {
  if (name == "auto") return DeviceMessages::automatic;
  if (name == "no") return DeviceMessages::never;
  if (name == "yes") return DeviceMessages::always;
  throw UsageError("device buffers are auto, no or yes, not '" + name + "'");
}

DeviceClaim device_claim() {
  if (gpu_kind == GpuKind::none) return {true, "kernels and MPI share the host's memory"};
  // Extensions: not every MPI has them, and headers do not tell what the library that is loaded does.
  std::vector<char const*> const queries = gpu_kind == GpuKind::cuda
                                               ? std::vector<char const*>{"MPIX_Query_cuda_support"}
                                               : std::vector<char const*>{"MPIX_Query_hip_support", "MPIX_Query_rocm_support"};
  std::string answers;
  for (auto const* name : queries) {
    auto* const query = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, name));
    if (query && query() != 0) return {true, std::string(name) + " says so"};
    answers += std::string(answers.empty() ? "" : ", ") + name + (query ? " says no" : " is missing");
  }
  auto const* const cray = std::getenv("MPICH_GPU_SUPPORT_ENABLED");
  if (cray && std::string_view(cray) == "1") return {true, "MPICH_GPU_SUPPORT_ENABLED is 1"};
  return {false, answers + ", MPICH_GPU_SUPPORT_ENABLED is not 1"};
}

MessageChoice decide_message_memory(DeviceMessages wish, bool gpu, DeviceClaim const& claim,
                                    std::function<DeviceTest()> const& test) {
  auto const staged = [](std::string const& why) {
    return MessageChoice{MessageMemory::host, "messages: through host memory (" + why + ')'};
  };
  auto const refused = [&](std::string const& why) {
    if (wish == DeviceMessages::always)
      throw UsageError("exchange.device_buffers = yes, but " + why +
                       "; cure: an MPI with GPU support, enabled (docs/exchange.md), or exchange.device_buffers = auto or no");
    return staged(why);
  };
  if (wish == DeviceMessages::never) return staged("exchange.device_buffers = no");
  if (wish == DeviceMessages::automatic && !gpu) return staged("kernels run there");
  if (!claim.takes_pointers) return refused("MPI does not say that it takes device pointers: " + claim.how);
  auto const result = test();
  if (!result.passed) return refused("MPI failed the self-test with device memory: " + result.why);
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.2f s", result.seconds);
  return {MessageMemory::device,
          std::string("messages: from device memory (self-test passed, ") + seconds + "; " + claim.how + ')'};
}

MessageChoice choose_message_memory(Communicator const& comm, DeviceMessages wish) {
  auto claim = device_claim();
  bool const all = comm.all(claim.takes_pointers);
  if (claim.takes_pointers && !all) claim = {false, "not on every rank"};
  return decide_message_memory(wish, gpu_kind != GpuKind::none, claim, [&] { return test_device_messages(comm); });
}

}  // namespace kaon
