// Polynomial polar factors beside the loop that everybody writes: three gemms and a shift a step.
#include "bench.hpp"
#include "matrices.hpp"

#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/polar/polar.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace kaon::bench {
namespace polar_races {

using Real = float;

/// X ← G/√squares.
struct Normalise {
  Real* x;
  Real const* g;
  ConstScalar<double, Exec> squares;
  KOKKOS_FUNCTION void operator()(std::int64_t const i) const {
    x[i] = static_cast<Real>(static_cast<double>(g[i]) / math::sqrt(squares()));
  }
};

/// B ← a·I + b·A, square.
struct Shift {
  Matrix<Real, Exec> B;
  ConstMatrix<Real, Exec> A;
  Real a, b;
  KOKKOS_FUNCTION void operator()(int const i) const {
    int const n = static_cast<int>(A.extent(0));
    for (int j = 0; j < n; ++j) B(i, j) = b * A(i, j) + (i == j ? a : Real(0));
  }
};

/// Rows ≤ columns: A = XXᵀ, B = (aI + bA) + cA², X ← BX.
class PlainLoop {
 public:
  PlainLoop(int rows, int cols, int steps)
      : table_(polar_coefficients("polar-express", steps)),
        ping_("kaon::bench::ping", at(rows), at(cols)),
        pong_("kaon::bench::pong", at(rows), at(cols)),
        A_("kaon::bench::A", at(rows), at(rows)),
        B_("kaon::bench::B", at(rows), at(rows)),
        squares_("kaon::bench::squares"),
        partials_("kaon::bench::partials", static_cast<std::size_t>(norm_workspace(rows, cols))) {}

  void operator()(Exec const& exec, Matrix<Real, Exec> const& Z, Matrix<Real, Exec> const& G) {
    sum_squares<Real>(exec, squares_, partials_, G);
    Matrix<Real, Exec> X = ping_, next = pong_;
    Kokkos::parallel_for("kaon::bench::normalise",
                         Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(X.size())),
                         Normalise{X.data(), G.data(), squares_});
    for (std::size_t k = 0; k < table_.size(); ++k) {
      auto const& p = table_[k];
      gemm<Real>(exec, A_, Op::none, X, Op::transpose, X);
      Kokkos::parallel_for("kaon::bench::shift", Kokkos::RangePolicy<Exec>(exec, 0, static_cast<int>(A_.extent(0))),
                           Shift{B_, A_, static_cast<Real>(p.a), static_cast<Real>(p.b)});
      gemm<Real>(exec, B_, Op::none, A_, Op::none, A_, static_cast<Real>(p.c), Real(1));
      gemm<Real>(exec, k + 1 == table_.size() ? Z : next, Op::none, B_, Op::none, X);
      std::swap(X, next);
    }
  }

 private:
  static std::size_t at(int n) { return static_cast<std::size_t>(n); }
  std::vector<Triple> table_;
  Matrix<Real, Exec> ping_, pong_, A_, B_;
  Scalar<double, Exec> squares_;
  Vector<double, Exec> partials_;
};

Race race(int rows, int cols, int steps, Asked const& asked, Asked const& peers) {
  std::string const shape = std::to_string(rows) + "x" + std::to_string(cols), count = std::to_string(steps);
  Race r;
  r.name = "polar/" + shape + "/" + count + "-steps";
  r.kernel = "polar factor by " + count + " steps of polar-express, form auto";
  r.floor = "plain gemm loop: 3 gemms and a shift a step";
  r.asked = asked;
  r.make = [=](Exec const& exec) {
    auto const G = normal_matrix(exec, "kaon::bench::G", rows, cols, 4101);
    Matrix<Real, Exec> const Z("kaon::bench::Z", G.extent(0), G.extent(1)), Y("kaon::bench::Y", G.extent(0), G.extent(1));
    PolarSettings settings;
    settings.steps = steps;
    auto const polar = std::make_shared<Polar<Real, Exec>>(settings, rows, cols);
    auto const plain = std::make_shared<PlainLoop>(rows, cols, steps);
    return Pair{[=] { (*polar)(exec, Z, G); }, [=] { (*plain)(exec, Y, G); }};
  };
  r.peers = "polar " + std::to_string(rows) + " " + std::to_string(cols) + " " + count;
  r.peers_asked = peers;
  return r;
}

/// The fewest steps of the set minimax for [1e-3, 1] that bring every singular value of a matrix with κ = 1e3 to within 1e-3 of 1
/// with spectral scaling, where the scalar map promises it too. 0 if 40 do not.
double steps_to_tolerance(Exec const& exec) {
  auto const c = conditioned(192, 256, 1e3, 4102);
  Matrix<double, Exec> const G("kaon::bench::G", 192, 256), Z("kaon::bench::Z", 192, 256);
  auto const host = Kokkos::create_mirror_view(Kokkos::HostSpace{}, G);
  std::copy(c.G.begin(), c.G.end(), host.data());
  Kokkos::deep_copy(G, host);
  for (int steps = 1; steps <= 40; ++steps) {
    if (worst_error(polar_coefficients("minimax", steps, 1e-3), 1e-3) > 1e-3) continue;
    PolarSettings settings;
    settings.set = "minimax";
    settings.steps = steps;
    settings.scaling = "spectral";
    Polar<double, Exec> polar(settings, 192, 256);
    polar(exec, Z, G);
    exec.fence();
    auto const z = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, Z);
    std::vector<double> difference(c.polar);
    for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= z.data()[i];
    if (spectral_norm(192, 256, difference) <= 1e-3) return steps;
  }
  return 0;
}

}  // namespace polar_races

void add_polar(Suite& suite) {
  using namespace polar_races;
  constexpr auto faster = Asked::Sense::at_least;
  suite.races.push_back(race(768, 768, 5, {faster, 1.2, 1.45}, {faster, 1.6, 2}));
  suite.races.push_back(race(768, 3072, 5, {faster, 1.7, 2.2}, {faster, 1.6, 2}));
  suite.counts.push_back({"polar/steps-to-1e-3",
                          "steps to 1e-3 on [1e-3,1] with spectral scaling, on a matrix with kappa 1e3",
                          "steps",
                          {Asked::Sense::at_most, 7, 6},
                          steps_to_tolerance});
}

}  // namespace kaon::bench
