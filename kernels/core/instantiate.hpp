// Explicit instantiation of a kernel for every scalar type and every execution space of this Kokkos.
//
//   #define KAON_KERNEL(T, Exec) template void f<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&);
//   KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)
#ifndef KAON_CORE_INSTANTIATE_HPP
#define KAON_CORE_INSTANTIATE_HPP

#include <kaon/core/compat.hpp>

#ifdef KOKKOS_ENABLE_SERIAL
#define KAON_WITH_SERIAL(M) M(Kokkos::Serial)
#define KAON_WITH_SERIAL_2(M, A) M(A, Kokkos::Serial)
#else
#define KAON_WITH_SERIAL(M)
#define KAON_WITH_SERIAL_2(M, A)
#endif
#ifdef KOKKOS_ENABLE_OPENMP
#define KAON_WITH_OPENMP(M) M(Kokkos::OpenMP)
#define KAON_WITH_OPENMP_2(M, A) M(A, Kokkos::OpenMP)
#else
#define KAON_WITH_OPENMP(M)
#define KAON_WITH_OPENMP_2(M, A)
#endif
#ifdef KOKKOS_ENABLE_CUDA
#define KAON_WITH_CUDA(M) M(Kokkos::Cuda)
#define KAON_WITH_CUDA_2(M, A) M(A, Kokkos::Cuda)
#else
#define KAON_WITH_CUDA(M)
#define KAON_WITH_CUDA_2(M, A)
#endif
#ifdef KOKKOS_ENABLE_HIP
#if KOKKOS_VERSION >= 40000
#define KAON_HIP_SPACE Kokkos::HIP
#else
#define KAON_HIP_SPACE Kokkos::Experimental::HIP
#endif
#define KAON_WITH_HIP(M) M(KAON_HIP_SPACE)
#define KAON_WITH_HIP_2(M, A) M(A, KAON_HIP_SPACE)
#else
#define KAON_WITH_HIP(M)
#define KAON_WITH_HIP_2(M, A)
#endif

#define KAON_FOR_EACH_SPACE(M) KAON_WITH_SERIAL(M) KAON_WITH_OPENMP(M) KAON_WITH_CUDA(M) KAON_WITH_HIP(M)
#define KAON_FOR_EACH_SPACE_2(M, A) KAON_WITH_SERIAL_2(M, A) KAON_WITH_OPENMP_2(M, A) KAON_WITH_CUDA_2(M, A) KAON_WITH_HIP_2(M, A)
#define KAON_FOR_EACH_SCALAR_AND_SPACE(M) KAON_FOR_EACH_SPACE_2(M, float) KAON_FOR_EACH_SPACE_2(M, double)

#endif
