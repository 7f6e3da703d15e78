#include <kaon/linalg/tpl/eigen_cusolver.hpp>

#if KAON_EIGEN_CUSOLVER

#include <kaon/core/error.hpp>

#include <cusolverDn.h>

#include <string>

namespace kaon::tpl {
namespace {

void checked(cusolverStatus_t status, char const* call) {
  if (status != CUSOLVER_STATUS_SUCCESS)
    throw NumericalError(std::string("cuSOLVER: ") + call + " returned " + std::to_string(static_cast<int>(status)));
}

}  // namespace

CusolverEigen::CusolverEigen(int n) : n_(n), info_("kaon::eigen::info") {
  checked(cusolverDnCreate(&handle_), "cusolverDnCreate");
  checked(cusolverDnSetDeterministicMode(handle_, CUSOLVER_DETERMINISTIC_RESULTS), "cusolverDnSetDeterministicMode");
  int length = 0;
  checked(cusolverDnDsyevd_bufferSize(handle_, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_UPPER, n, nullptr, n, nullptr, &length),
          "cusolverDnDsyevd_bufferSize");
  work_ = Vector<double, Kokkos::Cuda>("kaon::eigen::work", static_cast<std::size_t>(length));
}

CusolverEigen::~CusolverEigen() {
  if (handle_) cusolverDnDestroy(handle_);
}

int CusolverEigen::operator()(Kokkos::Cuda const& exec, double* a, double* w) {
  checked(cusolverDnSetStream(handle_, exec.cuda_stream()), "cusolverDnSetStream");
  checked(cusolverDnDsyevd(handle_, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_UPPER, n_, a, n_, w, work_.data(),
                           static_cast<int>(work_.size()), info_.data()),
          "cusolverDnDsyevd");
  int info = 0;
  using Host = Kokkos::View<int, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Kokkos::deep_copy(exec, Host(&info), info_);
  exec.fence();
  return info;
}

}  // namespace kaon::tpl

#endif
