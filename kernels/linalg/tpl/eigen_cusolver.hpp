// Empty unless Kokkos has CUDA.
#ifndef KAON_LINALG_TPL_EIGEN_CUSOLVER_HPP
#define KAON_LINALG_TPL_EIGEN_CUSOLVER_HPP

#include <kaon/core/types.hpp>

#ifdef KOKKOS_ENABLE_CUDA
#define KAON_EIGEN_CUSOLVER 1

struct cusolverDnContext;

namespace kaon::tpl {

/// cuSOLVER's dense dsyevd with its handle and workspace.
class CusolverEigen {
 public:
  explicit CusolverEigen(int n);
  ~CusolverEigen();
  CusolverEigen(CusolverEigen const&) = delete;
  CusolverEigen& operator=(CusolverEigen const&) = delete;

  /// As LapackEigen, of device memory, on the instance's stream; waits for it. Returns cuSOLVER's devInfo.
  int operator()(Kokkos::Cuda const& exec, double* a, double* w);

 private:
  int n_;
  cusolverDnContext* handle_ = nullptr;
  Vector<double, Kokkos::Cuda> work_;
  Scalar<int, Kokkos::Cuda> info_;
};

}  // namespace kaon::tpl

#else
#define KAON_EIGEN_CUSOLVER 0
#endif
#endif
