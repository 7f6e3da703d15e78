#include <kaon/linalg/tpl/cublas.hpp>

#ifdef KOKKOS_ENABLE_CUDA

#include <map>

namespace kaon::tpl {

namespace {

struct Cublas {
  cublasHandle_t handle = nullptr;
  cudaStream_t stream = nullptr;
  std::map<cudaStream_t, Kokkos::View<unsigned char*, Kokkos::CudaSpace>> workspaces;
};

}  // namespace

cublasHandle_t cublas_on(Kokkos::Cuda const& exec) {
  static Cublas all;
  bool const first = !all.handle;
  if (first) {
    check_cublas(cublasCreate(&all.handle), "cublasCreate");
    check_cublas(cublasSetAtomicsMode(all.handle, CUBLAS_ATOMICS_NOT_ALLOWED), "cublasSetAtomicsMode");
    check_cublas(cublasSetMathMode(all.handle, CUBLAS_DEFAULT_MATH), "cublasSetMathMode");
    Kokkos::push_finalize_hook([] {
      cublasDestroy(all.handle);
      all = Cublas{};
    });
  }
  if (first || all.stream != exec.cuda_stream()) {
    all.stream = exec.cuda_stream();
    auto& workspace = all.workspaces[all.stream];
    if (workspace.size() == 0)
      workspace = Kokkos::View<unsigned char*, Kokkos::CudaSpace>(
          Kokkos::view_alloc("kaon::linalg::cublas_workspace", Kokkos::WithoutInitializing), cublas_workspace);
    check_cublas(cublasSetStream(all.handle, all.stream), "cublasSetStream");  // and back to the pool's workspace
    check_cublas(cublasSetWorkspace(all.handle, workspace.data(), workspace.size()), "cublasSetWorkspace");
  }
  return all.handle;
}

}  // namespace kaon::tpl

#endif
