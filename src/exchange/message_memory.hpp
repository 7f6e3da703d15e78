#ifndef KAON_EXCHANGE_MESSAGE_MEMORY_HPP
#define KAON_EXCHANGE_MESSAGE_MEMORY_HPP

#include <kaon/core/types.hpp>

#include <cstddef>

namespace kaon {

/// Which memory messages are sent from and received in: the host's, pinned where there is a device, or the device's.
enum class MessageMemory { host, device };

/// Bytes in either memory.
class MessageBuffer {
 public:
  MessageBuffer() = default;
  MessageBuffer(MessageMemory memory, char const* label, std::size_t bytes) : size_(bytes) {
    if (memory == MessageMemory::host)
      host_ = decltype(host_)(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), bytes);
    else
      device_ = decltype(device_)(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), bytes);
  }
  unsigned char* data() const { return host_.data() ? host_.data() : device_.data(); }
  std::size_t size() const { return size_; }

 private:
  Kokkos::View<unsigned char*, Kokkos::LayoutRight, StagingSpace> host_;
  Bytes<Kokkos::DefaultExecutionSpace> device_;
  std::size_t size_ = 0;
};

}  // namespace kaon

#endif
