// The one translation unit that instantiates Kokkos Kernels' gemm, for host spaces: each instantiation costs seconds of compile
// time. On a device it is not called: for small C of long inner length its cuBLAS and rocBLAS branches add by atomics.
#include <kaon/linalg/gemm.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/dot_product_gemm.hpp>
#include <kaon/linalg/tpl/strided_gemm.hpp>

#include <KokkosBlas3_gemm.hpp>

namespace kaon {
namespace {

template <class T, class Exec>
void call_gemm([[maybe_unused]] Exec const& exec, [[maybe_unused]] char const* a, [[maybe_unused]] char const* b,
               [[maybe_unused]] T alpha, ConstMatrix<T, Exec> const& A, ConstMatrix<T, Exec> const& B, T beta,
               Matrix<T, Exec> const& C) {
  if constexpr (runs_on_host<Exec>) {
#if KAON_GEMM_TAKES_INSTANCE
    KokkosBlas::gemm(exec, a, b, alpha, A, B, beta, C);
#else
    KokkosBlas::gemm(a, b, alpha, A, B, beta, C);
#endif
  }
}

}  // namespace

template <class T, class Exec>
void gemm(Exec const& exec, Out<Matrix<T, Exec>> const& C, Op op_a, In<ConstMatrix<T, Exec>> const& A, Op op_b,
          In<ConstMatrix<T, Exec>> const& B, T alpha, T beta) {
  auto const m = op_a == Op::none ? A.extent(0) : A.extent(1);
  auto const k = op_a == Op::none ? A.extent(1) : A.extent(0);
  auto const k2 = op_b == Op::none ? B.extent(0) : B.extent(1);
  auto const n = op_b == Op::none ? B.extent(1) : B.extent(0);
  require(k == k2 && C.extent(0) == m && C.extent(1) == n, "gemm: shapes do not fit");
  require(C.size() == 0 || (C.data() != A.data() && C.data() != B.data()), "gemm: the output is also an input");
  if (C.size() == 0) return;
  // Nothing to add up: some versions of the library leave C as it is then.
  if (k == 0) {
    T const* const none = nullptr;
    return dot_product_gemm<T>(exec, C, ConstMatrix<T, Exec>(none, 0, m), ConstMatrix<T, Exec>(none, 0, n), alpha, beta);
  }
  if (is_dot_product_gemm<Exec>(op_a, op_b, static_cast<std::int64_t>(m), static_cast<std::int64_t>(n)))
    return dot_product_gemm<T>(exec, C, A, B, alpha, beta);
  // Kokkos Kernels 4 makes a product of one column gemv's, on vectors that it takes for contiguous: wrong for columns of wider
  // rows.
  if (runs_on_host<Exec> && !(op_a == Op::none && op_b == Op::none && n == 1))
    return call_gemm<T, Exec>(exec, op_a == Op::none ? "N" : "T", op_b == Op::none ? "N" : "T", alpha, A, B, beta, C);
  auto const as_is = [](auto const& X) {
    auto const ld = X.stride(0) > 0 ? static_cast<int>(X.stride(0)) : 1;
    return tpl::Strided<std::remove_pointer_t<decltype(X.data())>>{X.data(), ld, 0};
  };
  tpl::strided_gemm<T>(exec, static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), alpha, op_a, as_is(A), op_b, as_is(B),
                       beta, as_is(C), 1);
}

template <class T, class Exec>
void symmetric_product(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A, T alpha, T beta) {
  gemm<T>(exec, C, Op::none, A, Op::transpose, A, alpha, beta);
}

template <class T, class Exec>
void gram(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A, T alpha, T beta) {
  gemm<T>(exec, C, Op::transpose, A, Op::none, A, alpha, beta);
}

#define KAON_KERNEL(T, Exec)                                                                                                 \
  template void gemm<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, Op, In<ConstMatrix<T, Exec>> const&, Op,             \
                              In<ConstMatrix<T, Exec>> const&, T, T);                                                        \
  template void symmetric_product<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, T, T); \
  template void gram<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, T, T);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
