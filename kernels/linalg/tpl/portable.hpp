#ifndef KAON_LINALG_TPL_PORTABLE_HPP
#define KAON_LINALG_TPL_PORTABLE_HPP

#include <kaon/linalg/tpl/strided_gemm.hpp>

namespace kaon::tpl {

/// Entries as they are.
struct Same {
  template <class T>
  KOKKOS_FUNCTION T operator()(T const& x) const {
    return x;
  }
};

/// The kernel of portable_gemm: C ← alpha·op(A)·op(B) + beta·C with inputs of type In that `Read` turns into T, in which the sums
/// run. A task is `width` neighbouring entries of a row: vector lanes on a host, one entry a thread on a device.
template <class T, class In, class Read, class Exec>
struct PortableGemm {
  static constexpr int width = runs_on_host<Exec> ? 32 : 1;
  int m, n, k, tiles;
  T alpha, beta;
  Op op_a, op_b;
  Strided<In const> A, B;
  Strided<T> C;
  Read read;

  KOKKOS_FUNCTION void operator()(std::int64_t const task) const {
    int const j0 = static_cast<int>(task % tiles) * width;
    std::int64_t const row = task / tiles;
    int const i = static_cast<int>(row % m);
    std::int64_t const b = row / m;
    int const count = n - j0 < width ? n - j0 : width;
    In const* const a = A.data + b * A.stride;
    In const* const x = B.data + b * B.stride;
    std::int64_t const a_row = op_a == Op::none ? A.ld : 1, a_step = op_a == Op::none ? 1 : A.ld;
    std::int64_t const x_row = op_b == Op::none ? B.ld : 1, x_step = op_b == Op::none ? 1 : B.ld;
    T sum[width] = {};
    for (int l = 0; l < k; ++l) {
      T const f = read(a[i * a_row + l * a_step]);
      for (int j = 0; j < count; ++j) sum[j] += f * read(x[l * x_row + (j0 + j) * x_step]);
    }
    T* const c = C.data + b * C.stride + static_cast<std::int64_t>(i) * C.ld + j0;
    for (int j = 0; j < count; ++j) c[j] = beta == T(0) ? alpha * sum[j] : alpha * sum[j] + beta * c[j];
  }
};

template <class T, class Read, class In, class Exec>
void run_portable(Exec const& exec, int m, int n, int k, T alpha, Op op_a, Strided<In const> const& A, Op op_b,
                  Strided<In const> const& B, T beta, Strided<T> const& C, int batch) {
  using Kernel = PortableGemm<T, In, Read, Exec>;
  int const tiles = (n + Kernel::width - 1) / Kernel::width;
  Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>> const policy(exec, 0, static_cast<std::int64_t>(batch) * m * tiles);
  Kokkos::parallel_for("kaon::portable_gemm", policy, Kernel{m, n, k, tiles, alpha, beta, op_a, op_b, A, B, C, Read{}});
}

}  // namespace kaon::tpl

#endif
