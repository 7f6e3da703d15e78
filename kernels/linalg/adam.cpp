#include <kaon/linalg/adam.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

#include <cmath>

namespace kaon {
namespace {

template <class T>
struct AdamAverages {
  T* m;
  T* v;
  T const* g;
  T keep1, new1, keep2, new2;
  KOKKOS_FUNCTION void operator()(std::int64_t const i) const {
    T const x = g[i];
    m[i] = keep1 * m[i] + new1 * x;
    v[i] = keep2 * v[i] + new2 * (x * x);
  }
};

template <class T>
struct AdamMove {
  T* x;
  T const* m;
  T const* v;
  T keep, rate, correct2, epsilon;  // rate: of m as it stands; correct2: 1/(1−β2^t)
  KOKKOS_FUNCTION void operator()(std::int64_t const i) const {
    x[i] = keep * x[i] - rate * m[i] / (math::sqrt(v[i] * correct2) + epsilon);
  }
};

template <class Exec>
using AdamPolicy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>;

template <class A, class B>
bool fits(A const& a, B const& b) {
  return a.extent(0) == b.extent(0) && a.extent(1) == b.extent(1);
}

}  // namespace

template <class T, class Exec>
void adam_averages(Exec const& exec, Out<Matrix<T, Exec>> const& m, Out<Matrix<T, Exec>> const& v,
                   In<ConstMatrix<T, Exec>> const& g, double beta1, double beta2) {
  require(fits(m, v) && fits(m, g), "adam_averages: shapes differ");
  Kokkos::parallel_for("kaon::linalg::adam_averages", AdamPolicy<Exec>(exec, 0, static_cast<std::int64_t>(m.size())),
                       AdamAverages<T>{m.data(), v.data(), g.data(), static_cast<T>(beta1), static_cast<T>(1 - beta1),
                                       static_cast<T>(beta2), static_cast<T>(1 - beta2)});
}

template <class T, class Exec>
void adam_move(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstMatrix<T, Exec>> const& m,
               In<ConstMatrix<T, Exec>> const& v, AdamStep const& s) {
  require(fits(X, m) && fits(X, v), "adam_move: shapes differ");
  require(s.t >= 1, "adam_move: steps count from 1");
  double const t = static_cast<double>(s.t), correct1 = 1 - std::pow(s.beta1, t), correct2 = 1 - std::pow(s.beta2, t);
  Kokkos::parallel_for("kaon::linalg::adam_move", AdamPolicy<Exec>(exec, 0, static_cast<std::int64_t>(X.size())),
                       AdamMove<T>{X.data(), m.data(), v.data(), static_cast<T>(1 - s.rate * s.decay),
                                   static_cast<T>(s.rate / correct1), static_cast<T>(1 / correct2), static_cast<T>(s.epsilon)});
}

#define KAON_ADAM(T, Exec)                                                                                    \
  template void adam_averages<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, Out<Matrix<T, Exec>> const&, \
                                       In<ConstMatrix<T, Exec>> const&, double, double);                      \
  template void adam_move<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, \
                                   In<ConstMatrix<T, Exec>> const&, AdamStep const&);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_ADAM)
#undef KAON_ADAM

}  // namespace kaon
