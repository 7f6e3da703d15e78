#include <kaon/linalg/panel_gemm.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/tpl/threaded_gemm.hpp>

#include <algorithm>

namespace kaon {

int gemm_panels(std::int64_t const m, std::int64_t const n, std::int64_t const k) {
  constexpr std::int64_t edge = 384, most = 64, least_edge = 128;
  constexpr double worth_two = 16777216;  // multiplications: about a third of a millisecond on a core
  auto const longer = std::max(m, n);
  auto const by_edge = std::min(longer / edge, most);
  if (by_edge >= 2) return static_cast<int>(by_edge);
  bool const two = longer >= least_edge && static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >= worth_two;
  return two ? 2 : 1;
}

template <class T, class Exec>
void panel_gemm(Exec const& exec, Out<Matrix<T, Exec>> const& C, Op op_a, In<ConstMatrix<T, Exec>> const& A, Op op_b,
                In<ConstMatrix<T, Exec>> const& B, T alpha, T beta) {
  int const m = static_cast<int>(C.extent(0)), n = static_cast<int>(C.extent(1));
  int const k = static_cast<int>(op_a == Op::none ? A.extent(1) : A.extent(0));
  int const panels = gemm_panels(m, n, k);
  if (!tpl::blas_calls_from_threads<Exec>() || panels == 1 || k == 0) return gemm<T>(exec, C, op_a, A, op_b, B, alpha, beta);
  require((op_b == Op::none ? B.extent(0) : B.extent(1)) == static_cast<std::size_t>(k) &&
              (op_a == Op::none ? A.extent(0) : A.extent(1)) == C.extent(0) &&
              (op_b == Op::none ? B.extent(1) : B.extent(0)) == C.extent(1),
          "panel_gemm: shapes do not fit");
  require(C.data() != A.data() && C.data() != B.data(), "panel_gemm: the output is also an input");
  tpl::threaded_gemm<T>(exec, m, n, k, alpha, op_a, {A.data(), static_cast<int>(A.extent(1)), 0}, op_b,
                        {B.data(), static_cast<int>(B.extent(1)), 0}, beta, {C.data(), n, 0}, panels);
}

#define KAON_KERNEL(T, Exec)                                                                                           \
  template void panel_gemm<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, Op, In<ConstMatrix<T, Exec>> const&, Op, \
                                    In<ConstMatrix<T, Exec>> const&, T, T);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
