#ifndef KAON_CORE_TYPES_HPP
#define KAON_CORE_TYPES_HPP

#include <kaon/core/compat.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace kaon {

template <class Exec>
using DeviceOf = Kokkos::Device<Exec, typename Exec::memory_space>;

/// m×n, row-major: the order on disk, on the wire and in Python.
template <class T, class Exec>
using Matrix = Kokkos::View<T**, Kokkos::LayoutRight, DeviceOf<Exec>>;
template <class T, class Exec>
using ConstMatrix = Kokkos::View<T const**, Kokkos::LayoutRight, DeviceOf<Exec>>;

template <class T, class Exec>
using Vector = Kokkos::View<T*, Kokkos::LayoutRight, DeviceOf<Exec>>;
template <class T, class Exec>
using ConstVector = Kokkos::View<T const*, Kokkos::LayoutRight, DeviceOf<Exec>>;

/// A number that lives on the device, so that kernels pass it on without a host round trip.
template <class T, class Exec>
using Scalar = Kokkos::View<T, DeviceOf<Exec>>;
template <class T, class Exec>
using ConstScalar = Kokkos::View<T const, DeviceOf<Exec>>;

/// Encoded bytes on the device. Buffers that Kaon makes are 16-byte aligned; encoders may rely on it at offset 0.
template <class Exec>
using Bytes = Vector<unsigned char, Exec>;
template <class Exec>
using ConstBytes = ConstVector<unsigned char, Exec>;

/// Function parameters are written In<…> and Out<…> so that T alone is named by the caller, f<float>(exec, …), Exec is deduced
/// from the instance, and the usual View conversions (to const, from a subview of whole rows) apply.
template <class V>
using In = std::type_identity_t<V>;
template <class V>
using Out = std::type_identity_t<V>;

}  // namespace kaon

#endif
