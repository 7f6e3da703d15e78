// The kernels of the cyclic Jacobi eigensolver, one launch each; eigen.cpp drives them.
#ifndef KAON_LINALG_EIGEN_JACOBI_HPP
#define KAON_LINALG_EIGEN_JACOBI_HPP

#include <kaon/core/reduce.hpp>
#include <kaon/core/types.hpp>

namespace kaon::jacobi {

/// Pair k of a round of the tournament between n players (circle method): over the even(n) − 1 rounds everyone meets everyone
/// once. With an odd n the last player of pair 0 does not exist: q = n.
struct Tournament {
  int n, round;
  KOKKOS_FUNCTION int even() const { return n + n % 2; }
  KOKKOS_FUNCTION int pairs() const { return even() / 2; }
  KOKKOS_FUNCTION void pair(int k, int& p, int& q) const {
    int const ring = even() - 1;
    int const a = k == 0 ? ring : (round + k) % ring;
    int const b = k == 0 ? round : (round - k + ring) % ring;
    p = a < b ? a : b;
    q = a < b ? b : a;
  }
};

/// x cos φ − y sin φ with s = sin φ and h = tan φ/2 (Rutishauser, 1966): its rounding error falls with the angle, so that
/// thousands of small rotations do not drift as with cosines that round to one side.
KOKKOS_INLINE_FUNCTION double turned(double x, double y, double s, double h) { return x - s * (y + h * x); }

/// rotations(2k), (2k+1) ← sin φ and tan φ/2 of the rotation that annihilates a_pq of pair k; 0 where |a_pq| ≤ negligible.
template <class Exec>
struct Angles {
  Vector<double, Exec> rotations;
  ConstMatrix<double, Exec> A;
  Tournament t;
  double negligible;

  KOKKOS_FUNCTION void operator()(int const k) const {
    int p = 0, q = 0;
    t.pair(k, p, q);
    double s = 0, h = 0;
    if (q < t.n) {
      double const apq = A(p, q);
      if (math::fabs(apq) > negligible) {
        double const tau = (A(q, q) - A(p, p)) / (2 * apq);
        double const root = math::sqrt(1 + tau * tau);
        double const tangent = tau >= 0 ? 1 / (tau + root) : -1 / (root - tau);
        double const c = 1 / math::sqrt(1 + tangent * tangent);
        s = tangent * c;
        h = s / (1 + c);
      }
    }
    rotations(2 * k) = s;
    rotations(2 * k + 1) = h;
  }
};

/// A ← JᵀAJ and V ← JᵀV for all rotations of a round: the 2×2 block of rows of pair i and columns of pair j belongs to one task.
template <class Exec>
struct Rotate {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Matrix<double, Exec> A, V;
  ConstVector<double, Exec> rotations;
  Tournament t;

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    int const i = team.league_rank();
    int p = 0, q = 0;
    t.pair(i, p, q);
    double const s = rotations(2 * i), h = rotations(2 * i + 1);
    bool const row = q < t.n;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, t.pairs()), [&](int const j) {
      int u = 0, v = 0;
      t.pair(j, u, v);
      double const sj = rotations(2 * j), hj = rotations(2 * j + 1);
      bool const column = v < t.n;
      double const pu = A(p, u), pv = column ? A(p, v) : 0.0;
      double const qu = row ? A(q, u) : 0.0, qv = row && column ? A(q, v) : 0.0;
      double const xu = turned(pu, qu, s, h), xv = turned(pv, qv, s, h);
      double const yu = turned(qu, pu, -s, -h), yv = turned(qv, pv, -s, -h);
      A(p, u) = turned(xu, xv, sj, hj);
      if (column) A(p, v) = i == j && s != 0.0 ? 0.0 : turned(xv, xu, -sj, -hj);
      if (row) A(q, u) = i == j && s != 0.0 ? 0.0 : turned(yu, yv, sj, hj);
      if (row && column) A(q, v) = turned(yv, yu, -sj, -hj);
    });
    if (!row) return;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, t.n), [&](int const j) {
      double const x = V(p, j), y = V(q, j);
      V(p, j) = turned(x, y, s, h);
      V(q, j) = turned(y, x, -s, -h);
    });
  }
};

template <class Exec>
void identity(Exec const& exec, Out<Matrix<double, Exec>> const& V) {
  int const n = static_cast<int>(V.extent(0));
  double* v = V.data();
  Kokkos::parallel_for(
      "kaon::eigen_identity", Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, std::int64_t{n} * n),
      KOKKOS_LAMBDA(std::int64_t const e) { v[e] = e / n == e % n ? 1.0 : 0.0; });
}

/// result() = Σ_{i≠j} a_ij².
template <class Exec>
void off_diagonal(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
                  In<ConstMatrix<double, Exec>> const& A) {
  auto const n = static_cast<std::int64_t>(A.extent(0));
  double const* a = A.data();
  reduce_sum(
      exec, "kaon::eigen_off_diagonal", result, partials, n * n,
      KOKKOS_LAMBDA(std::int64_t const e) { return e / n == e % n ? 0.0 : a[e] * a[e]; });
}

template <class Exec>
void diagonal(Exec const& exec, Out<Vector<double, Exec>> const& d, In<ConstMatrix<double, Exec>> const& A) {
  Kokkos::parallel_for(
      "kaon::eigen_diagonal", Kokkos::RangePolicy<Exec>(exec, 0, static_cast<int>(A.extent(0))),
      KOKKOS_LAMBDA(int const i) { d(i) = A(i, i); });
}

/// values ← d ascending (equal ones in their order), sorted's rows ← V's rows likewise.
template <class Exec>
struct Sort {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Vector<double, Exec> values;
  Matrix<double, Exec> sorted;
  ConstVector<double, Exec> d;
  ConstMatrix<double, Exec> V;

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    int const i = team.league_rank();
    int const n = static_cast<int>(d.extent(0));
    double const x = d(i);
    int rank = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, n), [&](int const j, int& r) { r += d(j) < x || (d(j) == x && j < i) ? 1 : 0; }, rank);
    Kokkos::single(Kokkos::PerTeam(team), [&]() { values(rank) = x; });
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, n), [&](int const j) { sorted(rank, j) = V(i, j); });
  }
};

}  // namespace kaon::jacobi

#endif
