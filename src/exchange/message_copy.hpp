#ifndef KAON_EXCHANGE_MESSAGE_COPY_HPP
#define KAON_EXCHANGE_MESSAGE_COPY_HPP

#include <kaon/core/types.hpp>
#include <kaon/exchange/message_memory.hpp>

#include <cstddef>

namespace kaon {

namespace detail {
using MessageSpace = Kokkos::DefaultExecutionSpace;
template <class T>
using InHost = Kokkos::View<T*, Kokkos::LayoutRight, StagingSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
template <class T>
using OnDevice = Kokkos::View<T*, Kokkos::LayoutRight, DeviceOf<MessageSpace>, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
}  // namespace detail

/// message[0, n) ← device[0, n) for a message buffer in `memory`. Asynchronous.
template <class T>
void copy_to_message(Kokkos::DefaultExecutionSpace const& exec, MessageMemory memory, T* message, T const* device,
                     std::size_t n) {
  detail::OnDevice<T const> const from(device, n);
  if (memory == MessageMemory::host)
    Kokkos::deep_copy(exec, detail::InHost<T>(message, n), from);
  else
    Kokkos::deep_copy(exec, detail::OnDevice<T>(message, n), from);
}

/// device[0, n) ← message[0, n). Asynchronous.
template <class T>
void copy_from_message(Kokkos::DefaultExecutionSpace const& exec, MessageMemory memory, T* device, T const* message,
                       std::size_t n) {
  detail::OnDevice<T> const to(device, n);
  if (memory == MessageMemory::host)
    Kokkos::deep_copy(exec, to, detail::InHost<T const>(message, n));
  else
    Kokkos::deep_copy(exec, to, detail::OnDevice<T const>(message, n));
}

/// message[0, n) ← 0. Asynchronous in device memory.
inline void clear_message(Kokkos::DefaultExecutionSpace const& exec, MessageMemory memory, unsigned char* message,
                          std::size_t n) {
  if (memory == MessageMemory::host)
    for (std::size_t i = 0; i < n; ++i) message[i] = 0;
  else
    Kokkos::deep_copy(exec, detail::OnDevice<unsigned char>(message, n), static_cast<unsigned char>(0));
}

}  // namespace kaon

#endif
