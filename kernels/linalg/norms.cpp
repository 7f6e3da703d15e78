#include <kaon/linalg/norms.hpp>

#include <kaon/core/instantiate.hpp>

namespace kaon {

template <class T, class Exec>
void sum_squares(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
                 In<ConstMatrix<T, Exec>> const& A) {
  require(A.span_is_contiguous(), "sum_squares: the matrix is not contiguous");
  T const* a = A.data();
  reduce_sum(
      exec, "kaon::sum_squares", result, partials, static_cast<std::int64_t>(A.size()),
      KOKKOS_LAMBDA(std::int64_t const i) { return static_cast<double>(a[i]) * static_cast<double>(a[i]); });
}

template <class T, class Exec>
void sum_abs(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
             In<ConstMatrix<T, Exec>> const& A) {
  require(A.span_is_contiguous(), "sum_abs: the matrix is not contiguous");
  T const* a = A.data();
  reduce_sum(
      exec, "kaon::sum_abs", result, partials, static_cast<std::int64_t>(A.size()),
      KOKKOS_LAMBDA(std::int64_t const i) { return math::fabs(static_cast<double>(a[i])); });
}

template <class T, class Exec>
void max_abs(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
             In<ConstMatrix<T, Exec>> const& A) {
  require(A.span_is_contiguous(), "max_abs: the matrix is not contiguous");
  T const* a = A.data();
  reduce_max(
      exec, "kaon::max_abs", result, partials, static_cast<std::int64_t>(A.size()),
      KOKKOS_LAMBDA(std::int64_t const i) { return math::fabs(static_cast<double>(a[i])); });
}

template <class T, class Exec>
void dot(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
         In<ConstMatrix<T, Exec>> const& A, In<ConstMatrix<T, Exec>> const& B) {
  require(A.extent(0) == B.extent(0) && A.extent(1) == B.extent(1), "dot: the shapes differ");
  require(A.span_is_contiguous() && B.span_is_contiguous(), "dot: a matrix is not contiguous");
  T const* a = A.data();
  T const* b = B.data();
  reduce_sum(
      exec, "kaon::dot", result, partials, static_cast<std::int64_t>(A.size()),
      KOKKOS_LAMBDA(std::int64_t const i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
}

template <class T, class Exec>
void count_nonfinite(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
                     In<ConstMatrix<T, Exec>> const& A) {
  require(A.span_is_contiguous(), "count_nonfinite: the matrix is not contiguous");
  T const* a = A.data();
  reduce_sum(
      exec, "kaon::count_nonfinite", result, partials, static_cast<std::int64_t>(A.size()),
      KOKKOS_LAMBDA(std::int64_t const i) { return math::isfinite(a[i]) ? 0.0 : 1.0; });
}

template <class T, class Exec>
void column_sum_squares(Exec const& exec, Out<Vector<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
                        In<ConstMatrix<T, Exec>> const& A) {
  auto const m = static_cast<std::int64_t>(A.extent(0));
  auto const n = static_cast<std::int64_t>(A.extent(1));
  require(static_cast<std::int64_t>(result.extent(0)) == n,
          "column_sum_squares: the result's length is not the number of columns");
  require(static_cast<std::int64_t>(partials.extent(0)) >= column_workspace(m, n), "column_sum_squares: workspace too small");
  // Neighbouring columns go to one task on the host (vector lanes) and to neighbouring threads on a device; each column's
  // own order of additions is the same for both.
  constexpr std::int64_t width = runs_on_host<Exec> ? 64 : 1;
  std::int64_t const blocks = (m + column_block - 1) / column_block;
  std::int64_t const strips = (n + width - 1) / width;
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>;
  Kokkos::parallel_for(
      "kaon::column_sum_squares", Policy(exec, 0, blocks * strips), KOKKOS_LAMBDA(std::int64_t const task) {
        std::int64_t const block = task / strips;
        std::int64_t const left = task % strips * width;
        int const count = static_cast<int>(n - left < width ? n - left : width);
        std::int64_t const top = block * column_block;
        std::int64_t const bottom = m - top < column_block ? m : top + column_block;
        double sum[width] = {};
        for (std::int64_t i = top; i < bottom; ++i) {
          T const* row = &A(i, left);
          for (int j = 0; j < count; ++j) sum[j] += static_cast<double>(row[j]) * static_cast<double>(row[j]);
        }
        for (int j = 0; j < count; ++j) partials(block * n + left + j) = sum[j];
      });
  Kokkos::parallel_for(
      "kaon::column_sum_squares_final", Policy(exec, 0, n), KOKKOS_LAMBDA(std::int64_t const j) {
        double sum = 0;
        for (std::int64_t block = 0; block < blocks; ++block) sum += partials(block * n + j);
        result(j) = sum;
      });
}

template <class T, class Exec>
void row_sum_squares(Exec const& exec, Out<Vector<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& A) {
  require(result.extent(0) == A.extent(0), "row_sum_squares: the result's length is not the number of rows");
  int const n = static_cast<int>(A.extent(1));
  if (A.extent(0) == 0) return;
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  Kokkos::parallel_for(
      "kaon::row_sum_squares", Policy(exec, static_cast<int>(A.extent(0)), fixed_team_size<Exec>),
      KOKKOS_LAMBDA(Member const& team) {
        int const i = team.league_rank();
        double const sum = detail::team_sum<Exec>(
            team, 0, n, [&](std::int64_t const j) { return static_cast<double>(A(i, j)) * static_cast<double>(A(i, j)); });
        Kokkos::single(Kokkos::PerTeam(team), [&]() { result(i) = sum; });
      });
}

#define KAON_KERNEL(T, Exec)                                                                                                 \
  template void sum_squares<T, Exec>(Exec const&, Out<Scalar<double, Exec>> const&, Out<Vector<double, Exec>> const&,        \
                                     In<ConstMatrix<T, Exec>> const&);                                                       \
  template void sum_abs<T, Exec>(Exec const&, Out<Scalar<double, Exec>> const&, Out<Vector<double, Exec>> const&,            \
                                 In<ConstMatrix<T, Exec>> const&);                                                           \
  template void max_abs<T, Exec>(Exec const&, Out<Scalar<double, Exec>> const&, Out<Vector<double, Exec>> const&,            \
                                 In<ConstMatrix<T, Exec>> const&);                                                           \
  template void dot<T, Exec>(Exec const&, Out<Scalar<double, Exec>> const&, Out<Vector<double, Exec>> const&,                \
                             In<ConstMatrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&);                              \
  template void count_nonfinite<T, Exec>(Exec const&, Out<Scalar<double, Exec>> const&, Out<Vector<double, Exec>> const&,    \
                                         In<ConstMatrix<T, Exec>> const&);                                                   \
  template void column_sum_squares<T, Exec>(Exec const&, Out<Vector<double, Exec>> const&, Out<Vector<double, Exec>> const&, \
                                            In<ConstMatrix<T, Exec>> const&);                                                \
  template void row_sum_squares<T, Exec>(Exec const&, Out<Vector<double, Exec>> const&, In<ConstMatrix<T, Exec>> const&);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
