#include <kaon/polar/products.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/symmetric.hpp>
#include <kaon/linalg/tpl/strided_gemm.hpp>

namespace kaon {
namespace {

/// P ← a·I + b·R + P on stacks of n×n matrices.
template <class T, class Exec>
struct AddLinear {
  T* P;
  T const* R;
  T a, b;
  int n;
  KOKKOS_FUNCTION void operator()(std::int64_t const row) const {
    T* const p = P + row * n;
    T const* const r = R + row * n;
    for (int j = 0; j < n; ++j) p[j] += b * r[j];
    p[row % n] += a;
  }
};

template <class T>
tpl::Strided<T> stacked(T* data, int rows, int cols) {
  return {data, cols, static_cast<std::int64_t>(rows) * cols};
}

template <class T, class Exec>
void add_linear(Exec const& exec, T* P, T a, T b, T const* R, int n, int batch) {
  Kokkos::parallel_for("kaon::polar_add_linear",
                       Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(batch) * n),
                       AddLinear<T, Exec>{P, R, a, b, n});
}

constexpr HalfKind kind = HalfKind::bf16;  // fp16 would lose the small singular values: its range ends at 6e-8

}  // namespace

template <class T, class Exec>
PolarProducts<T, Exec>::PolarProducts(PolarArithmetic arithmetic, int l, int s, int batch)
    : arithmetic_(arithmetic), l_(l), s_(s), batch_(batch) {
  if (arithmetic != PolarArithmetic::half) return;
  if (!std::is_same_v<T, float>) throw UsageError("polar half needs precision float, not double");
  auto const b = static_cast<std::size_t>(batch), n = static_cast<std::size_t>(s);
  long_ = HalfMatrix<Exec>("kaon::polar::half_long", b * static_cast<std::size_t>(l), n);
  square_ = HalfMatrix<Exec>("kaon::polar::half_square", b * n, n);
}

template <class T, class Exec>
void PolarProducts<T, Exec>::gram(Exec const& exec, Out<Matrix<T, Exec>> const& R, In<ConstMatrix<T, Exec>> const& X) const {
  if (arithmetic_ == PolarArithmetic::symmetric) return syrk<T>(exec, R, Op::transpose, X, T(1), T(0), batch_);
  if constexpr (std::is_same_v<T, float>)
    if (arithmetic_ == PolarArithmetic::half) {
      round_to_half<Exec>(exec, kind, long_, X);
      return half_gemm<Exec>(exec, kind, R, Op::transpose, long_, Op::none, long_, 1, 0, batch_);
    }
  auto const x = stacked<T const>(X.data(), l_, s_);
  tpl::strided_gemm<T>(exec, s_, s_, l_, T(1), Op::transpose, x, Op::none, x, T(0), stacked(R.data(), s_, s_), batch_);
}

template <class T, class Exec>
void PolarProducts<T, Exec>::quadratic(Exec const& exec, Out<Matrix<T, Exec>> const& P, T a, T b, T c,
                                       In<ConstMatrix<T, Exec>> const& R) const {
  if (arithmetic_ == PolarArithmetic::symmetric) return symmetric_quadratic<T>(exec, P, a, b, c, R, batch_);
  bool done = false;
  if constexpr (std::is_same_v<T, float>)
    if (arithmetic_ == PolarArithmetic::half) {
      round_to_half<Exec>(exec, kind, square_, R);
      half_gemm<Exec>(exec, kind, P, Op::none, square_, Op::transpose, square_, c, 0, batch_);
      done = true;
    }
  if (!done) {
    auto const r = stacked<T const>(R.data(), s_, s_);
    tpl::strided_gemm<T>(exec, s_, s_, s_, c, Op::none, r, Op::transpose, r, T(0), stacked(P.data(), s_, s_), batch_);
  }
  add_linear<T>(exec, P.data(), a, b, static_cast<T const*>(R.data()), s_, batch_);
}

template <class T, class Exec>
void PolarProducts<T, Exec>::commuting(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A,
                                       In<ConstMatrix<T, Exec>> const& B) const {
  commuting_product<T>(exec, C, A, B, T(1), T(0), batch_);
}

template <class T, class Exec>
void PolarProducts<T, Exec>::square(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A) const {
  syrk<T>(exec, C, Op::none, A, T(1), T(0), batch_);
}

template <class T, class Exec>
void PolarProducts<T, Exec>::apply(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstMatrix<T, Exec>> const& X,
                                   In<ConstMatrix<T, Exec>> const& Q, bool wide) const {
  if constexpr (std::is_same_v<T, float>)
    if (arithmetic_ == PolarArithmetic::half) {
      round_to_half<Exec>(exec, kind, long_, X);
      round_to_half<Exec>(exec, kind, square_, Q);
      if (wide) return half_gemm<Exec>(exec, kind, Y, Op::none, square_, Op::transpose, long_, 1, 0, batch_);
      return half_gemm<Exec>(exec, kind, Y, Op::none, long_, Op::transpose, square_, 1, 0, batch_);
    }
  // Both operands are read along their rows: Q is symmetric.
  auto const x = stacked<T const>(X.data(), l_, s_), q = stacked<T const>(Q.data(), s_, s_);
  if (wide)
    tpl::strided_gemm<T>(exec, s_, l_, s_, T(1), Op::none, q, Op::transpose, x, T(0), stacked(Y.data(), s_, l_), batch_);
  else
    tpl::strided_gemm<T>(exec, l_, s_, s_, T(1), Op::none, x, Op::transpose, q, T(0), stacked(Y.data(), l_, s_), batch_);
}

#define KAON_KERNEL(T, Exec) template class PolarProducts<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
