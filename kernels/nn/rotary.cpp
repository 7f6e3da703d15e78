#include <kaon/nn/rotary.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/nn/norm.hpp>
#include <kaon/nn/rows.hpp>

#include <limits>

namespace kaon {
namespace {

template <class M, class V, class Table>
void check(M const& X, V const& scale, Table const& table, int heads) {
  require(heads > 0 && X.extent(1) % static_cast<std::size_t>(heads) == 0, "norm_and_rotate: heads do not divide the width");
  require(table.extent(1) * static_cast<std::size_t>(heads) == X.extent(1) && table.extent(1) % 2 == 0,
          "norm_and_rotate: the table must have as many columns as a head, an even number");
  require(table.extent(0) > 0 && X.extent(0) % table.extent(0) == 0, "norm_and_rotate: rows must be whole sequences");
  require(scale.extent(0) == X.extent(0) * static_cast<std::size_t>(heads), "norm_and_rotate: scale needs one entry a head");
}

}  // namespace

template <class T, class Exec>
void fill_rotary_table(Exec const& exec, Out<Matrix<T, Exec>> const& table) {
  require(table.extent(1) % 2 == 0, "fill_rotary_table: a head must have an even width");
  auto const half = static_cast<std::int64_t>(table.extent(1) / 2);
  auto const n = static_cast<std::int64_t>(table.extent(0)) * half;
  Kokkos::parallel_for(
      "kaon::nn::rotary_table", Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, n),
      KOKKOS_LAMBDA(std::int64_t const e) {
        auto const t = e / half;
        auto const i = e % half;
        double const angle = static_cast<double>(t) * math::pow(10000.0, -static_cast<double>(i) / static_cast<double>(half));
        table(t, i) = static_cast<T>(math::cos(angle));
        table(t, half + i) = static_cast<T>(math::sin(angle));
      });
}

template <class T, class Exec>
void norm_and_rotate(Exec const& exec, Out<Matrix<T, Exec>> const& X, Out<Vector<T, Exec>> const& scale,
                     In<ConstMatrix<T, Exec>> const& table, int const heads) {
  check(X, scale, table, heads);
  int const w = static_cast<int>(table.extent(1));
  int const half = w / 2;
  auto const context = static_cast<std::int64_t>(table.extent(0));
  auto const n = static_cast<std::int64_t>(X.extent(0)) * heads;
  T const nan = std::numeric_limits<T>::quiet_NaN();
  Kokkos::parallel_for(
      "kaon::nn::norm_and_rotate", Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, n),
      KOKKOS_LAMBDA(std::int64_t const e) {
        auto const row = e / heads;
        T* const a = &X(row, (e % heads) * w);
        T* const b = a + half;
        T const* KOKKOS_RESTRICT const c = &table(row % context, 0);
        T const* KOKKOS_RESTRICT const s = c + half;
        T const square = rows::serial_sum<T>(w, [=](int const i) { return a[i] * a[i]; });
        T const r = rows::rms_factor<T>(square, w, static_cast<T>(rms_epsilon), nan);
        for (int i = 0; i < half; ++i) {
          T const p = r * a[i];
          T const q = r * b[i];
          a[i] = p * c[i] + q * s[i];
          b[i] = q * c[i] - p * s[i];
        }
        scale(e) = r;
      });
}

template <class T, class Exec>
void norm_and_rotate_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dX, In<ConstMatrix<T, Exec>> const& Y,
                              In<ConstVector<T, Exec>> const& scale, In<ConstMatrix<T, Exec>> const& table, int const heads) {
  check(Y, scale, table, heads);
  require(dX.extent(0) == Y.extent(0) && dX.extent(1) == Y.extent(1), "norm_and_rotate_backward: dX and Y differ in shape");
  require(dX.size() == 0 || dX.data() != Y.data(), "norm_and_rotate_backward: dX is also an input");
  int const w = static_cast<int>(table.extent(1));
  int const half = w / 2;
  auto const context = static_cast<std::int64_t>(table.extent(0));
  auto const n = static_cast<std::int64_t>(Y.extent(0)) * heads;
  Kokkos::parallel_for(
      "kaon::nn::norm_and_rotate_backward", Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, n),
      KOKKOS_LAMBDA(std::int64_t const e) {
        auto const row = e / heads;
        T* const da = &dX(row, (e % heads) * w);
        T* const db = da + half;
        T const* KOKKOS_RESTRICT const a = &Y(row, (e % heads) * w);
        T const* KOKKOS_RESTRICT const b = a + half;
        T const* KOKKOS_RESTRICT const c = &table(row % context, 0);
        T const* KOKKOS_RESTRICT const s = c + half;
        T const r = scale(e);
        // A rotation keeps inner products, so the norm's projection can be taken before rotating back.
        T const mean = rows::serial_sum<T>(w, [=](int const i) { return da[i] * a[i]; }) / static_cast<T>(w);
        for (int i = 0; i < half; ++i) {
          T const p = r * (da[i] - mean * a[i]);
          T const q = r * (db[i] - mean * b[i]);
          da[i] = p * c[i] - q * s[i];
          db[i] = q * c[i] + p * s[i];
        }
      });
}

#define KAON_KERNEL(T, Exec)                                                                                                 \
  template void fill_rotary_table<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&);                                        \
  template void norm_and_rotate<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, Out<Vector<T, Exec>> const&,              \
                                         In<ConstMatrix<T, Exec>> const&, int);                                              \
  template void norm_and_rotate_backward<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, \
                                                  In<ConstVector<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
