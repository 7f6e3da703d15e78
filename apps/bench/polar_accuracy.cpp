#include "bench.hpp"
#include "matrices.hpp"

#include <kaon/polar/polar.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

namespace kaon::bench {
namespace accuracy {

constexpr int rows = 256, cols = 512;

struct Errors {
  double rounding = 0;  ///< ‖Z − p(G)‖₂, p in fp64
  double factor = 0;    ///< ‖Z − UVᵀ‖₂
};

template <class T>
Errors measure(Exec const& exec, PolarSettings const& settings, Conditioned const& c) {
  Matrix<T, Exec> const G("kaon::bench::G", rows, cols), Z("kaon::bench::Z", rows, cols);
  auto const g = Kokkos::create_mirror_view(Kokkos::HostSpace{}, G);
  for (std::size_t i = 0; i < c.G.size(); ++i) g.data()[i] = static_cast<T>(c.G[i]);
  Kokkos::deep_copy(G, g);
  Polar<T, Exec> polar(settings, rows, cols);
  polar(exec, Z, G);
  exec.fence();
  double squares = 0;
  for (double const s : c.s) squares += s * s;
  auto mapped = c.s;
  for (double& s : mapped) s = polar_map(polar.table(), s / std::sqrt(squares));
  auto rounding = with_values(c, mapped), factor = c.polar;
  auto const z = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, Z);
  for (std::size_t i = 0; i < rounding.size(); ++i) {
    rounding[i] -= static_cast<double>(z.data()[i]);
    factor[i] -= static_cast<double>(z.data()[i]);
  }
  return {spectral_norm(rows, cols, rounding), spectral_norm(rows, cols, factor)};
}

}  // namespace accuracy

void print_polar_accuracy(Exec const& exec) {
  using namespace accuracy;
  constexpr double kappas[] = {10, 1e2, 1e3, 1e4};
  std::printf(
      "Polar factor of %d×%d matrices with a geometric spectrum, polar-express, Frobenius scaling. Each entry: ‖Z − p(G)‖₂ "
      "against the same\npolynomial in fp64 / ‖Z − UVᵀ‖₂ against the factor.\n\n",
      rows, cols);
  std::printf("| form | precision | steps |");
  for (double const kappa : kappas) std::printf(" κ = %g |", kappa);
  std::printf("\n|---|---|---|---|---|---|---|\n");
  Conditioned const matrices[] = {conditioned(rows, cols, kappas[0], 4103), conditioned(rows, cols, kappas[1], 4103),
                                  conditioned(rows, cols, kappas[2], 4103), conditioned(rows, cols, kappas[3], 4103)};
  struct Form {
    char const* name;
    PolarSettings settings;
  };
  for (int const steps : {5, 8}) {
    PolarSettings base;
    base.steps = steps;
    Form forms[] = {{"standard", base},          {"symmetric", base}, {"gram, no restart", base},
                    {"gram, by the rule", base}, {"auto", base},      {"half (bf16)", base}};
    forms[0].settings.form = "standard";
    forms[1].settings.form = "symmetric";
    forms[2].settings.form = forms[3].settings.form = "gram";
    forms[2].settings.restarts.emplace();
    forms[5].settings.half = true;
    for (auto const& form : forms)
      for (bool const single : {true, false}) {
        if (form.settings.half && !single) continue;
        std::printf("| %s | %s | %d |", form.name, single ? "float" : "double", steps);
        for (auto const& c : matrices) {
          auto const e = single ? measure<float>(exec, form.settings, c) : measure<double>(exec, form.settings, c);
          std::printf(" %.1e / %.1e |", e.rounding, e.factor);
        }
        std::printf("\n");
      }
  }
}

}  // namespace kaon::bench
