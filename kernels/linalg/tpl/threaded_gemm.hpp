#ifndef KAON_LINALG_TPL_THREADED_GEMM_HPP
#define KAON_LINALG_TPL_THREADED_GEMM_HPP

#include <kaon/linalg/tpl/strided_gemm.hpp>

namespace kaon::tpl {

/// Whether the threads of Exec may each call BLAS: host threads, and a BLAS known to run such a call on the calling thread alone
/// (OpenBLAS, MKL and BLIS set to one thread; asked anew each time, since programs set it at run time).
template <class Exec>
bool blas_calls_from_threads();

/// C ← alpha·op(A)·op(B) + beta·C as strided_gemm for one matrix, cut along the longer of m and n into `panels`, one BLAS call
/// each, run by the threads of `exec`. Only where blas_calls_from_threads.
template <class T, class Exec>
void threaded_gemm(Exec const& exec, int m, int n, int k, T alpha, Op op_a, Strided<std::type_identity_t<T> const> const& A,
                   Op op_b, Strided<std::type_identity_t<T> const> const& B, T beta, Strided<std::type_identity_t<T>> const& C,
                   int panels);

}  // namespace kaon::tpl

#endif
