// Every difference between the Kokkos versions (3.4.01 up to 5.x) and back ends that Kaon supports stands here.
#ifndef KAON_CORE_COMPAT_HPP
#define KAON_CORE_COMPAT_HPP

#include <Kokkos_Core.hpp>

#include <string>

#if KOKKOS_VERSION < 30401
#error "Kaon needs Kokkos 3.4.01 or later"
#endif

namespace kaon {

/// True for execution spaces whose kernels run on the host's cores.
template <class Exec>
inline constexpr bool runs_on_host = Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename Exec::memory_space>::accessible&&
    Kokkos::SpaceAccessibility<Exec, Kokkos::HostSpace>::accessible;

/// Team size of every reduction and scan whose order must be fixed. A constant for each kind of back end, never Kokkos::AUTO:
/// the order of a floating-point sum may depend on nothing but the back end.
template <class Exec>
inline constexpr int fixed_team_size = runs_on_host<Exec> ? 1 : 256;

/// Bytes of the host's vector registers, for tile shapes: 32 of them in AVX-512, at least 16 elsewhere.
#if defined(__AVX512F__)
inline constexpr int host_vector_bytes = 64;
#else
inline constexpr int host_vector_bytes = 32;
#endif

/// Whether kernels<T> on Exec can call Kokkos Kernels' gemm with an execution-space instance (4.0 and later).
#if KOKKOS_VERSION >= 40000
#define KAON_GEMM_TAKES_INSTANCE 1
#else
#define KAON_GEMM_TAKES_INSTANCE 0
#endif

/// Whether two instances are one: work on them is done in the order in which it was queued.
template <class Exec>
bool same_instance(Exec const& a, Exec const& b) {
#if KOKKOS_VERSION >= 40000
  return a == b;
#else
  return a.impl_instance_id() == b.impl_instance_id();
#endif
}

/// Host memory that a device copies from and to at full speed: of messages, their headers and eigenproblems. Batches are a few
/// kilobytes and do without.
#if defined(KOKKOS_ENABLE_CUDA)
using StagingSpace = Kokkos::CudaHostPinnedSpace;
#elif defined(KOKKOS_ENABLE_HIP) && KOKKOS_VERSION >= 40000
using StagingSpace = Kokkos::HIPHostPinnedSpace;
#elif defined(KOKKOS_ENABLE_HIP)
using StagingSpace = Kokkos::Experimental::HIPHostPinnedSpace;
#else
using StagingSpace = Kokkos::HostSpace;
#endif

/// The kind of GPU that kernels run on.
enum class GpuKind { none, cuda, hip };
#if defined(KOKKOS_ENABLE_CUDA)
inline constexpr GpuKind gpu_kind = GpuKind::cuda;
#elif defined(KOKKOS_ENABLE_HIP)
inline constexpr GpuKind gpu_kind = GpuKind::hip;
#else
inline constexpr GpuKind gpu_kind = GpuKind::none;
#endif

/// Name of the GPU that kernels run on; empty where there is none.
inline std::string gpu_name() {
#if defined(KOKKOS_ENABLE_CUDA)
  return Kokkos::Cuda().cuda_device_prop().name;
#elif defined(KOKKOS_ENABLE_HIP)
#if KOKKOS_VERSION >= 40000
  int const device = Kokkos::HIP().hip_device();
#else
  int const device = Kokkos::Experimental::HIP().hip_device();
#endif
  hipDeviceProp_t properties;
  if (hipGetDeviceProperties(&properties, device) != hipSuccess) return "HIP device of unknown name";
  return std::string(properties.name) + " " + properties.gcnArchName;
#else
  return {};
#endif
}

/// Mathematical functions for kernels.
namespace math {
#if KOKKOS_VERSION >= 40000
using Kokkos::cos, Kokkos::exp, Kokkos::fabs, Kokkos::log, Kokkos::pow, Kokkos::sin, Kokkos::sqrt, Kokkos::isfinite,
    Kokkos::floor;
#else
using Kokkos::Experimental::cos, Kokkos::Experimental::exp, Kokkos::Experimental::fabs, Kokkos::Experimental::log,
    Kokkos::Experimental::pow, Kokkos::Experimental::sin, Kokkos::Experimental::sqrt, Kokkos::Experimental::isfinite,
    Kokkos::Experimental::floor;
#endif
}  // namespace math

}  // namespace kaon

#endif
