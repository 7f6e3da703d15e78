#include <kaon/linalg/update.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {
namespace {

template <class A, class B>
bool same_shape(A const& a, B const& b) {
  return a.extent(0) == b.extent(0) && a.extent(1) == b.extent(1);
}

/// One entry a task on a device; a stretch of them on a host, where what came of it is told once a stretch and loops vectorise.
template <class T, class Exec, bool decays>
struct MoveAlong {
  T* x;
  T const* z;
  ConstScalar<double, Exec> scale;
  double radius, decay;
  std::int64_t size;
  double* motion;  ///< or nullptr
  double mark;
  static constexpr int chunk = runs_on_host<Exec> ? 4096 : 1;

  // Whoever comes first; all write the same.
  KOKKOS_FUNCTION void set(Motion which) const {
    double* const at = motion + static_cast<int>(which);
    if (*at != mark) *at = mark;
  }

  KOKKOS_FUNCTION void operator()(std::int64_t const task) const {
    T const t = static_cast<T>(radius * scale());
    [[maybe_unused]] T const keep = static_cast<T>(1.0 - radius * scale() * decay);
    std::int64_t const begin = task * chunk;
    int const count = static_cast<int>(size - begin < chunk ? size - begin : chunk);
    T* const to = x + begin;
    T const* const from = z + begin;
    int directed = 0, moved = 0;
    for (int i = 0; i < count; ++i) {
      T const before = to[i];
      T now;
      if constexpr (decays)
        now = keep * before + t * from[i];
      else
        now = before + t * from[i];
      directed |= static_cast<int>(from[i] != T(0));
      moved |= static_cast<int>(now != before);
      to[i] = now;
    }
    if (motion == nullptr) return;
    if (directed != 0) set(Motion::directed);
    if (moved != 0) set(Motion::moved);
    if (radius * scale() * decay > 1.0) set(Motion::turned);
  }

  void launch(Exec const& exec) const {
    using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>;
    char const* const label = decays ? "kaon::linalg::move_along_with_decay" : "kaon::linalg::move_along";
    Kokkos::parallel_for(label, Policy(exec, 0, (size + chunk - 1) / chunk), *this);
  }
};

}  // namespace

template <class T, class Exec>
void move_along(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstMatrix<T, Exec>> const& Z, double radius,
                In<ConstScalar<double, Exec>> const& scale, double decay, Out<Vector<double, Exec>> const& motion, double mark) {
  require(same_shape(X, Z), "move_along: shapes differ");
  require(motion.extent(0) == 0 || motion.extent(0) == static_cast<std::size_t>(Motion::count),
          "move_along: motion has one entry for each that it may set");
  auto const n = static_cast<std::int64_t>(X.size());
  double* const flags = motion.extent(0) == 0 ? nullptr : motion.data();
  if (decay == 0)
    MoveAlong<T, Exec, false>{X.data(), Z.data(), scale, radius, decay, n, flags, mark}.launch(exec);
  else
    MoveAlong<T, Exec, true>{X.data(), Z.data(), scale, radius, decay, n, flags, mark}.launch(exec);
}

template <class T, class Exec>
void blend(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A, In<ConstMatrix<T, Exec>> const& B,
           T weight) {
  require(same_shape(C, A) && same_shape(C, B), "blend: shapes differ");
  T* const c = C.data();
  T const* const a = A.data();
  T const* const b = B.data();
  T const keep = T(1) - weight;
  Kokkos::parallel_for(
      "kaon::linalg::blend",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(C.size())),
      KOKKOS_LAMBDA(std::int64_t const i) { c[i] = keep * a[i] + weight * b[i]; });
}

#define KAON_KERNEL(T, Exec)                                                                                                 \
  template void move_along<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, double,       \
                                    In<ConstScalar<double, Exec>> const&, double, Out<Vector<double, Exec>> const&, double); \
  template void blend<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&,                    \
                               In<ConstMatrix<T, Exec>> const&, T);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
