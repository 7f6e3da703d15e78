#include <kaon/linalg/tpl/threaded_gemm.hpp>

#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/tpl/blas.hpp>

#include <dlfcn.h>

namespace kaon::tpl {
namespace {

// 0: no such function, so threads that nobody can count.
int blas_threads() {
  using Count = int();
  static Count* const count = [] {
    for (char const* name : {"openblas_get_num_threads", "MKL_Get_Max_Threads", "bli_thread_get_num_threads"})
      if (void* const f = dlsym(RTLD_DEFAULT, name)) return reinterpret_cast<Count*>(f);
    return static_cast<Count*>(nullptr);
  }();
  return count ? count() : 0;
}

}  // namespace

template <class Exec>
bool blas_calls_from_threads() {
  return runs_on_host<Exec> && blas_threads() == 1;
}

template <class T, class Exec>
void threaded_gemm([[maybe_unused]] Exec const& exec, [[maybe_unused]] int m, [[maybe_unused]] int n, [[maybe_unused]] int k,
                   [[maybe_unused]] T alpha, [[maybe_unused]] Op op_a,
                   [[maybe_unused]] Strided<std::type_identity_t<T> const> const& A, [[maybe_unused]] Op op_b,
                   [[maybe_unused]] Strided<std::type_identity_t<T> const> const& B, [[maybe_unused]] T beta,
                   [[maybe_unused]] Strided<std::type_identity_t<T>> const& C, [[maybe_unused]] int panels) {
  if constexpr (runs_on_host<Exec>) {
    constexpr int align = 16;  // entries: BLAS kernels' tiles stay whole
    bool const by_rows = m >= n;
    int const length = by_rows ? m : n;
    int const edge = ((length + panels - 1) / panels + align - 1) / align * align;
    Kokkos::parallel_for(
        "kaon::linalg::threaded_gemm", Kokkos::RangePolicy<Exec>(exec, 0, (length + edge - 1) / edge), [=](int const p) {
          int const from = p * edge;
          int const size = length - from < edge ? length - from : edge;
          int const i = by_rows ? from : 0, j = by_rows ? 0 : from;
          auto const a = op_a == Op::none ? block(A, i, 0) : block(A, 0, i);
          auto const b = op_b == Op::none ? block(B, 0, j) : block(B, j, 0);
          auto const c = block(C, i, j);
          blas_gemm(op_a, op_b, by_rows ? size : m, by_rows ? n : size, k, alpha, a.data, a.ld, b.data, b.ld, beta, c.data, c.ld);
        });
  }
}

#define KAON_KERNEL(T, Exec)                                                                                                    \
  template void threaded_gemm<T, Exec>(Exec const&, int, int, int, T, Op, Strided<T const> const&, Op, Strided<T const> const&, \
                                       T, Strided<T> const&, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)
#define KAON_QUERY(Exec) template bool blas_calls_from_threads<Exec>();
KAON_FOR_EACH_SPACE(KAON_QUERY)

}  // namespace kaon::tpl
