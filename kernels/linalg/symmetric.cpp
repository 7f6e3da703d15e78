#include <kaon/linalg/symmetric.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/tpl/strided_gemm.hpp>

namespace kaon {
namespace {

using tpl::Strided;

/// Blocks of the recursion: below this order a diagonal block is one gemm. Smaller wastes fewer flops, larger runs faster.
template <class Exec>
inline constexpr int diagonal_block = runs_on_host<Exec> ? 96 : 512;

/// Upper triangle ← lower triangle, after lower ← lower + a·I + b·A (A absent: after nothing). A task is a square of `outer`
/// entries, cut into tiles that keep whole cache lines in the first-level cache; one entry a task on a device.
template <class T, class Exec>
struct Mirror {
  static constexpr int outer = runs_on_host<Exec> ? 96 : 1;
  static constexpr int tile = runs_on_host<Exec> ? 16 : 1;
  T* C;
  T const* A;
  T a, b;
  int n, blocks;

  KOKKOS_FUNCTION void operator()(std::int64_t const task) const {
    int const right = static_cast<int>(task % blocks) * outer;
    int const top = static_cast<int>(task / blocks % blocks) * outer;
    if (right > top) return;
    std::int64_t const first = task / blocks / blocks * n * n;
    T* const c = C + first;
    int const bottom = top + outer < n ? top + outer : n;
    int const end = right + outer < n ? right + outer : n;
    for (int i = top; i < bottom; i += tile)
      for (int j = right; j < end && j <= i; j += tile) {
        int const height = bottom - i < tile ? bottom - i : tile;
        int const width = end - j < tile ? end - j : tile;
        if (A) add(c, A + first, i, j, height, width);
        if (i == j)
          for (int p = 0; p < height; ++p)
            for (int q = 0; q < p; ++q) c[at(j + q, i + p)] = c[at(i + p, j + q)];
        else
          for (int q = 0; q < width; ++q)
            for (int p = 0; p < height; ++p) c[at(j + q, i + p)] = c[at(i + p, j + q)];
      }
  }

 private:
  KOKKOS_FUNCTION std::int64_t at(int i, int j) const { return static_cast<std::int64_t>(i) * n + j; }
  KOKKOS_FUNCTION void add(T* c, T const* s, int i, int j, int height, int width) const {
    for (int p = 0; p < height; ++p) {
      T* const row = c + at(i + p, j);
      T const* const from = s + at(i + p, j);
      for (int q = 0; q < width; ++q) row[q] += b * from[q];
      if (i == j && p < width) row[p] += a;
    }
  }
};

template <class T, class Exec>
void mirror(Exec const& exec, T* C, int n, int batch, T const* A = nullptr, T a = 0, T b = 0) {
  int const blocks = (n + Mirror<T, Exec>::outer - 1) / Mirror<T, Exec>::outer;
  std::int64_t const tasks = static_cast<std::int64_t>(batch) * blocks * blocks;
  Kokkos::parallel_for("kaon::symmetric_mirror", Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, tasks),
                       Mirror<T, Exec>{C, A, a, b, n, blocks});
}

/// The diagonal block of C ← alpha·op(A)·op(B) + beta·C at `first`, of order `size`: its lower triangle, and some entries above.
template <class T, class Exec>
void lower_block(Exec const& exec, int first, int size, int k, T alpha, Op op_a, Strided<T const> const& A, Op op_b,
                 Strided<T const> const& B, T beta, Strided<T> const& C, int batch) {
  auto const gemm_at = [&](int i, int j, int height, int width) {
    tpl::strided_gemm<T>(exec, height, width, k, alpha, op_a, op_a == Op::none ? block(A, i, 0) : block(A, 0, i), op_b,
                         op_b == Op::none ? block(B, 0, j) : block(B, j, 0), beta, block(C, i, j), batch);
  };
  if (size <= diagonal_block<Exec>) return gemm_at(first, first, size, size);
  int const half = (size / 2 + 15) / 16 * 16;
  lower_block(exec, first, half, k, alpha, op_a, A, op_b, B, beta, C, batch);
  gemm_at(first + half, first, size - half, half);
  lower_block(exec, first + half, size - half, k, alpha, op_a, A, op_b, B, beta, C, batch);
}

template <class T, class Exec>
void lower_syrk(Exec const& exec, int n, int k, T alpha, Op op, Strided<T const> const& A, T beta, Strided<T> const& C,
                int batch) {
  if (tpl::strided_syrk<T>(exec, n, k, alpha, op, A, beta, C, batch)) return;
  lower_block<T>(exec, 0, n, k, alpha, op, A, op == Op::none ? Op::transpose : Op::none, A, beta, C, batch);
}

/// The order n of the stacked square matrices C.
template <class V>
int order_of(V const& C, int batch, char const* what) {
  require(batch >= 1 && C.extent(0) == static_cast<std::size_t>(batch) * C.extent(1) && C.span_is_contiguous(), what);
  return static_cast<int>(C.extent(1));
}

template <class T>
Strided<T> stacked(T* data, int rows, int cols) {
  return {data, cols, static_cast<std::int64_t>(rows) * cols};
}

}  // namespace

template <class T, class Exec>
void syrk(Exec const& exec, Out<Matrix<T, Exec>> const& C, Op op, In<ConstMatrix<T, Exec>> const& A, T alpha, T beta, int batch) {
  int const n = order_of(C, batch, "syrk: the output is not a stack of square matrices");
  auto const count = static_cast<std::size_t>(batch);
  require(A.extent(0) % count == 0 && A.span_is_contiguous(), "syrk: the input is not a stack of matrices");
  int const rows = static_cast<int>(A.extent(0) / count), cols = static_cast<int>(A.extent(1));
  require((op == Op::none ? rows : cols) == n, "syrk: shapes do not fit");
  require(C.size() == 0 || C.data() != A.data(), "syrk: the output is also the input");
  if (n == 0) return;
  lower_syrk<T>(exec, n, op == Op::none ? cols : rows, alpha, op, stacked(A.data(), rows, cols), beta, stacked(C.data(), n, n),
                batch);
  mirror<T>(exec, C.data(), n, batch);
}

template <class T, class Exec>
void commuting_product(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A,
                       In<ConstMatrix<T, Exec>> const& B, T alpha, T beta, int batch) {
  int const n = order_of(C, batch, "commuting_product: the output is not a stack of square matrices");
  require(order_of(A, batch, "commuting_product: an input is not a stack of square matrices") == n &&
              order_of(B, batch, "commuting_product: an input is not a stack of square matrices") == n,
          "commuting_product: shapes do not fit");
  require(n == 0 || (C.data() != A.data() && C.data() != B.data()), "commuting_product: the output is also an input");
  if (n == 0) return;
  // B is symmetric, and a transposed second operand is the form that BLAS reads along its rows.
  lower_block<T>(exec, 0, n, n, alpha, Op::none, stacked(A.data(), n, n), Op::transpose, stacked(B.data(), n, n), beta,
                 stacked(C.data(), n, n), batch);
  mirror<T>(exec, C.data(), n, batch);
}

template <class T, class Exec>
void symmetric_quadratic(Exec const& exec, Out<Matrix<T, Exec>> const& C, T a, T b, T c, In<ConstMatrix<T, Exec>> const& A,
                         int batch) {
  int const n = order_of(C, batch, "symmetric_quadratic: the output is not a stack of square matrices");
  require(order_of(A, batch, "symmetric_quadratic: the input is not a stack of square matrices") == n,
          "symmetric_quadratic: shapes do not fit");
  require(n == 0 || C.data() != A.data(), "symmetric_quadratic: the output is also the input");
  if (n == 0) return;
  lower_syrk<T>(exec, n, n, c, Op::none, stacked(A.data(), n, n), T(0), stacked(C.data(), n, n), batch);
  mirror<T>(exec, C.data(), n, batch, A.data(), a, b);
}

#define KAON_KERNEL(T, Exec)                                                                                                     \
  template void syrk<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, Op, In<ConstMatrix<T, Exec>> const&, T, T, int);         \
  template void commuting_product<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&,            \
                                           In<ConstMatrix<T, Exec>> const&, T, T, int);                                          \
  template void symmetric_quadratic<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, T, T, T, In<ConstMatrix<T, Exec>> const&, \
                                             int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
