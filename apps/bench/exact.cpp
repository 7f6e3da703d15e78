// Exact polar factors, and the oracles that need singular values, against plain polynomial steps.
#include "bench.hpp"

#include <kaon/linalg/gemm.hpp>
#include <kaon/lmo/lmo.hpp>
#include <kaon/polar/gram_eigen.hpp>
#include <kaon/random/stream.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace kaon::bench {
namespace exact_races {

using Real = float;

/// Normal entries; row i is scaled by condition^(−i/(rows − 1)).
Matrix<Real, Exec> normal_matrix(Exec const& exec, int rows, int cols, std::uint64_t seed, double condition = 1) {
  Matrix<Real, Exec> a("kaon::bench::matrix", static_cast<std::size_t>(rows), static_cast<std::size_t>(cols));
  Real* p = a.data();
  StreamKey const key{seed, Purpose::test, 0, 0, 0};
  double const size = 1 / std::sqrt(static_cast<double>(rows) * cols);  // ‖A‖_F ≈ 1
  Kokkos::parallel_for(
      "kaon::bench_fill", Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, std::int64_t{rows} * cols),
      KOKKOS_LAMBDA(std::int64_t const i) {
        double const fall = math::pow(condition, -static_cast<double>(i / cols) / (rows > 1 ? rows - 1 : 1));
        p[i] = static_cast<Real>(size * fall * random_normal(key, static_cast<std::uint64_t>(i)));
      });
  return a;
}

/// The products of `steps` plain polar steps of a wide matrix: XXᵀ, its square, and the polynomial's factor times X.
struct PlainSteps {
  Matrix<Real, Exec> x, y, a, b;
  int steps;

  PlainSteps(Matrix<Real, Exec> const& g, int count)
      : x(g),
        y("kaon::bench::y", g.extent(0), g.extent(1)),
        a("kaon::bench::a", g.extent(0), g.extent(0)),
        b("kaon::bench::b", g.extent(0), g.extent(0)),
        steps(count) {}

  void operator()(Exec const& exec) const {
    for (int s = 0; s < steps; ++s) {
      gemm<Real>(exec, a, Op::none, x, Op::transpose, x);
      gemm<Real>(exec, b, Op::none, a, Op::none, a);
      gemm<Real>(exec, y, Op::none, b, Op::none, x);
    }
  }
};

Race polar_race(int rows, int cols, double condition, Asked asked) {
  Race race;
  race.name = "exact/polar-" + std::to_string(rows) + "x" + std::to_string(cols) + (condition > 1 ? "-ill" : "");
  race.kernel = "exact polar factor by the fp64 eigenproblem of the Gram matrix";
  if (condition > 1) race.kernel += ", rows of sizes 1 ... 1e-4: last products in double";
  race.floor = "the products of 5 plain polar steps";
  race.asked = asked;
  race.make = [rows, cols, condition](Exec const& exec) {
    auto const g = normal_matrix(exec, rows, cols, 31, condition);
    Matrix<Real, Exec> const z("kaon::bench::z", g.extent(0), g.extent(1));
    auto const polar = std::make_shared<GramPolar<Real, Exec>>(rows, cols);
    auto const plain = std::make_shared<PlainSteps>(g, 5);
    return Pair{[=] {
                  (*polar)(exec, z, g);
                  exec.fence();
                },
                [=] {
                  (*plain)(exec);
                  exec.fence();
                }};
  };
  return race;
}

Race lmo_race(char const* norm, double p, int k) {
  Race race;
  race.name = std::string("exact/lmo-") + norm + "-768x3072";
  race.kernel = std::string("oracle of the norm ") + norm;
  race.floor = "the products of 5 plain polar steps";
  race.make = [norm = std::string(norm), p, k](Exec const& exec) {
    auto const g = normal_matrix(exec, 768, 3072, 32);
    Matrix<Real, Exec> const z("kaon::bench::z", g.extent(0), g.extent(1));
    LmoSettings settings;
    settings.norm = norm;
    settings.p = p;
    settings.k = k;
    std::shared_ptr<Lmo<Real, Exec>> const lmo = make_lmo<Real, Exec>(settings, 768, 3072);
    auto const plain = std::make_shared<PlainSteps>(g, 5);
    return Pair{[=] {
                  lmo->apply(exec, z, g);
                  exec.fence();
                },
                [=] {
                  (*plain)(exec);
                  exec.fence();
                }};
  };
  return race;
}

/// Largest entry of |ZZᵀ − I| for the exact factor Z of a wide matrix.
double orthogonality(Exec const& exec, int rows, int cols, double condition) {
  auto const g = normal_matrix(exec, rows, cols, 33, condition);
  Matrix<Real, Exec> const z("kaon::bench::z", g.extent(0), g.extent(1));
  GramPolar<Real, Exec>(rows, cols)(exec, z, g);
  exec.fence();
  auto const h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, z);
  double worst = 0;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j <= i; ++j) {
      double s = i == j ? -1 : 0;
      for (int c = 0; c < cols; ++c) s += static_cast<double>(h(i, c)) * static_cast<double>(h(j, c));
      worst = std::max(worst, std::fabs(s));
    }
  return worst;
}

}  // namespace exact_races

void add_exact(Suite& suite) {
  using namespace exact_races;
  suite.races.push_back(polar_race(768, 3072, 1, {Asked::Sense::at_most, 1.2, 0.6}));
  suite.races.push_back(polar_race(768, 3072, 1e4, {Asked::Sense::at_most, 1.2, 0}));
  suite.races.push_back(polar_race(768, 768, 1, {}));
  suite.races.push_back(lmo_race("nuclear", 2, 1));
  suite.races.push_back(lmo_race("schatten", 4, 1));
  suite.races.push_back(lmo_race("dual-ky-fan", 2, 64));
  for (double const condition : {1e1, 1e4})
    suite.counts.push_back({"exact/orthogonality-condition-" + std::to_string(static_cast<int>(condition)),
                            "max |ZZ' - I| of the exact factor of a 128x512 matrix",
                            "",
                            {Asked::Sense::at_most, 1e-5, 0},
                            [condition](Exec const& exec) { return orthogonality(exec, 128, 512, condition); }});
}

}  // namespace kaon::bench
