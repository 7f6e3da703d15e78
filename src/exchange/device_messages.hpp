#ifndef KAON_EXCHANGE_DEVICE_MESSAGES_HPP
#define KAON_EXCHANGE_DEVICE_MESSAGES_HPP

#include <kaon/exchange/message_memory.hpp>
#include <kaon/mpi/communicator.hpp>

#include <functional>
#include <string>

namespace kaon {

/// exchange.device_buffers of the deck. automatic: device memory where there is a GPU, this MPI says that it takes device
/// pointers, and the self-test passes; never: host memory; always: device memory, or the run ends.
enum class DeviceMessages { automatic, never, always };
DeviceMessages device_messages_named(std::string const& name);  ///< "auto", "no", "yes"

/// Whether this MPI says that it takes pointers to the memory of the kind of GPU that kernels run on (without a GPU: yes), and
/// how: MPIX_Query_cuda_support, MPIX_Query_hip_support or MPIX_Query_rocm_support of MPICH and Open MPI, or Cray MPICH's
/// MPICH_GPU_SUPPORT_ENABLED=1.
struct DeviceClaim {
  bool takes_pointers = false;
  std::string how;
};
DeviceClaim device_claim();

/// What the self-test found; the same on every rank.
struct DeviceTest {
  bool passed = false;
  std::string why;  ///< of a failure, by the first rank that saw one
  double seconds = 0;
};

/// Collective. Sends patterns of 1 B to 4 MiB, eager and rendezvous, from device memory into device memory: from every rank to
/// those 1 and half of all ranks further on, by the calls the exchange uses, twice, in new buffers, and looks at every byte.
/// Gives up `patience` seconds after a message that does not come. A rank alone sends to itself. An MPI that does not take device
/// pointers may crash here: ask device_claim() before.
DeviceTest test_device_messages(Communicator const& comm, double patience = 60);

/// The memory for messages, and a line that says which and why.
struct MessageChoice {
  MessageMemory memory = MessageMemory::host;
  std::string line;
};
/// The choice from what is known; `test` is called where it counts. Throws UsageError where `always` cannot be had.
MessageChoice decide_message_memory(DeviceMessages wish, bool gpu, DeviceClaim const& claim,
                                    std::function<DeviceTest()> const& test);
/// Collective: decides for this program, with test_device_messages.
MessageChoice choose_message_memory(Communicator const& comm, DeviceMessages wish);

}  // namespace kaon

#endif
