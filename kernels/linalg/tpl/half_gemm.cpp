#include <kaon/linalg/tpl/half_gemm.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/tpl/half_bits.hpp>
#include <kaon/linalg/tpl/portable.hpp>

#ifdef KOKKOS_ENABLE_CUDA
#include <kaon/linalg/tpl/cublas.hpp>
#endif

namespace kaon {
namespace {

using tpl::Strided;

template <class Format>
struct RoundEntries {
  std::uint16_t* h;
  float const* a;
  KOKKOS_FUNCTION void operator()(std::int64_t const i) const { h[i] = Format::from(a[i]); }
};

template <class Format>
struct WidenEntries {
  float* a;
  std::uint16_t const* h;
  KOKKOS_FUNCTION void operator()(std::int64_t const i) const { a[i] = Format{}(h[i]); }
};

template <class Exec, class V, class W>
Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>> entries(Exec const& exec, V const& to, W const& from) {
  require(to.extent(0) == from.extent(0) && to.extent(1) == from.extent(1), "half: the shapes differ");
  require(to.span_is_contiguous() && from.span_is_contiguous(), "half: a matrix is not contiguous");
  return {exec, 0, static_cast<std::int64_t>(to.size())};
}

/// The stacks of one product, checked.
struct Operands {
  int m, n, k;
  Strided<float> C;
  Strided<std::uint16_t const> A, B;
};

template <class V>
auto stack(V const& v, int batch, int& rows, int& cols) {
  auto const count = static_cast<std::size_t>(batch);
  require(v.extent(0) % count == 0 && v.span_is_contiguous(), "half_gemm: an operand is not a stack of matrices");
  rows = static_cast<int>(v.extent(0) / count);
  cols = static_cast<int>(v.extent(1));
  return Strided<std::remove_pointer_t<decltype(v.data())>>{v.data(), cols, static_cast<std::int64_t>(rows) * cols};
}

template <class Exec>
Operands operands(Matrix<float, Exec> const& C, Op op_a, ConstHalfMatrix<Exec> const& A, Op op_b, ConstHalfMatrix<Exec> const& B,
                  int batch) {
  require(batch >= 1, "half_gemm: needs at least one matrix");
  int m, n, a_rows, a_cols, b_rows, b_cols;
  auto const c = stack(C, batch, m, n);
  auto const a = stack(A, batch, a_rows, a_cols);
  auto const b = stack(B, batch, b_rows, b_cols);
  int const k = op_a == Op::none ? a_cols : a_rows;
  require((op_a == Op::none ? a_rows : a_cols) == m && (op_b == Op::none ? b_rows : b_cols) == k &&
              (op_b == Op::none ? b_cols : b_rows) == n,
          "half_gemm: shapes do not fit");
  return {m, n, k, c, a, b};
}

}  // namespace

template <class Exec>
void round_to_half(Exec const& exec, HalfKind kind, Out<HalfMatrix<Exec>> const& H, In<ConstMatrix<float, Exec>> const& A) {
  auto const policy = entries(exec, H, A);
  if (kind == HalfKind::bf16)
    Kokkos::parallel_for("kaon::round_to_half", policy, RoundEntries<tpl::Bf16>{H.data(), A.data()});
  else
    Kokkos::parallel_for("kaon::round_to_half", policy, RoundEntries<tpl::Fp16>{H.data(), A.data()});
}

template <class Exec>
void widen_half(Exec const& exec, HalfKind kind, Out<Matrix<float, Exec>> const& A, In<ConstHalfMatrix<Exec>> const& H) {
  auto const policy = entries(exec, A, H);
  if (kind == HalfKind::bf16)
    Kokkos::parallel_for("kaon::widen_half", policy, WidenEntries<tpl::Bf16>{A.data(), H.data()});
  else
    Kokkos::parallel_for("kaon::widen_half", policy, WidenEntries<tpl::Fp16>{A.data(), H.data()});
}

template <class Exec>
void portable_half_gemm(Exec const& exec, HalfKind kind, Out<Matrix<float, Exec>> const& C, Op op_a,
                        In<ConstHalfMatrix<Exec>> const& A, Op op_b, In<ConstHalfMatrix<Exec>> const& B, float alpha, float beta,
                        int batch) {
  auto const o = operands<Exec>(C, op_a, A, op_b, B, batch);
  if (kind == HalfKind::bf16)
    tpl::run_portable<float, tpl::Bf16>(exec, o.m, o.n, o.k, alpha, op_a, o.A, op_b, o.B, beta, o.C, batch);
  else
    tpl::run_portable<float, tpl::Fp16>(exec, o.m, o.n, o.k, alpha, op_a, o.A, op_b, o.B, beta, o.C, batch);
}

template <class Exec>
void half_gemm(Exec const& exec, HalfKind kind, Out<Matrix<float, Exec>> const& C, Op op_a, In<ConstHalfMatrix<Exec>> const& A,
               Op op_b, In<ConstHalfMatrix<Exec>> const& B, float alpha, float beta, int batch) {
#ifdef KOKKOS_ENABLE_CUDA
  if constexpr (std::is_same_v<Exec, Kokkos::Cuda>) {
    auto const o = operands<Exec>(C, op_a, A, op_b, B, batch);
    if (o.m == 0 || o.n == 0) return;
    if (o.k > 0)
      return tpl::cublas_half_gemm(exec, o.m, o.n, o.k, alpha, kind == HalfKind::bf16 ? CUDA_R_16BF : CUDA_R_16F, op_a, o.A, op_b,
                                   o.B, beta, o.C, batch);
  }
#endif
  portable_half_gemm<Exec>(exec, kind, C, op_a, A, op_b, B, alpha, beta, batch);
}

#define KAON_KERNEL(Exec)                                                                                                      \
  template void round_to_half<Exec>(Exec const&, HalfKind, Out<HalfMatrix<Exec>> const&, In<ConstMatrix<float, Exec>> const&); \
  template void widen_half<Exec>(Exec const&, HalfKind, Out<Matrix<float, Exec>> const&, In<ConstHalfMatrix<Exec>> const&);    \
  template void portable_half_gemm<Exec>(Exec const&, HalfKind, Out<Matrix<float, Exec>> const&, Op,                           \
                                         In<ConstHalfMatrix<Exec>> const&, Op, In<ConstHalfMatrix<Exec>> const&, float, float, \
                                         int);                                                                                 \
  template void half_gemm<Exec>(Exec const&, HalfKind, Out<Matrix<float, Exec>> const&, Op, In<ConstHalfMatrix<Exec>> const&,  \
                                Op, In<ConstHalfMatrix<Exec>> const&, float, float, int);
KAON_FOR_EACH_SPACE(KAON_KERNEL)

}  // namespace kaon
