#ifndef KAON_CONVERGENCE_RUN_HPP
#define KAON_CONVERGENCE_RUN_HPP

#include "problem.hpp"

#include <kaon/step/engine.hpp>
#include <kaon/support/state.hpp>

#include <string>

namespace kaon::test {

/// One combination that a theorem covers, with the contractions it is promised.
struct Theory {
  std::string norm, uplink, downlink;
  double alpha_up, alpha_down;  ///< α_D in the dual norm, α_P in the primal norm
  double q_up() const { return std::sqrt(1 - alpha_up); }
  double q_down() const { return std::sqrt(1 - alpha_down); }
};

/// α of a compressor in the Euclidean norm, as it promises it for the problem's shape.
inline double euclidean_alpha(std::string const& spec) {
  return make_compressor<double, Space>(spec, TheoryProblem::rows, TheoryProblem::cols)->guaranteed_alpha();
}

struct Average {
  double norm = 0;    ///< (1/K) Σ_{k<K} ‖∇f(X^k)‖_*
  double square = 0;  ///< (1/K) Σ_{k<K} ‖∇f(X^k)‖_*²
};

/// K rounds of H steps in the form `gradient`, of which inner ones have the length `inner`, from X⁰ = 0 with a dense start and
/// β = 1; the gradients that are averaged are exact ones at the server's X, before each round.
inline double run_rounds(TheoryProblem const& problem, Theory const& theory, int K, std::uint64_t H, double radius,
                         double inner) {
  LayerSettings layer;
  layer.lmo.norm = theory.norm;
  layer.lmo.polar.exact = true;
  layer.radius = radius;
  layer.uplink = theory.uplink;
  layer.downlink = theory.downlink;
  OptimizerSettings settings;
  settings.workers = TheoryProblem::workers;
  settings.local.steps = H;
  settings.local.form = LocalForm::gradient;
  settings.local.walk = inner / radius;
  Communicator const self(MPI_COMM_SELF);
  auto objective = problem.objective(0, 1);
  Engine<double> muon(Space(), self, objective.layers(), {layer}, settings);
  muon.initialize(objective);
  Geometry const geometry{theory.norm};
  HostMatrix gradient;
  double average = 0;
  for (std::uint64_t k = 0; k < static_cast<std::uint64_t>(K) * H; ++k) {
    if (k % H == 0) {
      problem.value(to_host(test::ef21(muon).X(0)), &gradient);
      average += geometry.dual(gradient) / K;
    }
    muon.step(objective, k, 1.0, false);
  }
  return average;
}

/// K steps from X⁰ = 0 with a dense start; the gradients that are averaged are exact ones at the server's X, before each step.
inline Average run(TheoryProblem const& problem, Theory const& theory, int K, double radius, double beta = 1, double noise = 0,
                   bool adaptive = false, std::uint64_t seed = 1) {
  LayerSettings layer;
  layer.lmo.norm = theory.norm;
  layer.lmo.polar.exact = true;
  layer.radius = radius;
  layer.beta = beta;
  layer.uplink = theory.uplink;
  layer.downlink = theory.downlink;
  OptimizerSettings settings;
  settings.workers = TheoryProblem::workers;
  settings.adaptive = adaptive;
  settings.seed = seed;
  Communicator const self(MPI_COMM_SELF);
  auto objective = problem.objective(noise, seed);
  Engine<double> muon(Space(), self, objective.layers(), {layer}, settings);
  muon.initialize(objective);
  Geometry const geometry{theory.norm};
  Average average;
  HostMatrix gradient;
  for (int k = 0; k < K; ++k) {
    problem.value(to_host(test::ef21(muon).X(0)), &gradient);
    double const norm = geometry.dual(gradient);
    average.norm += norm / K;
    average.square += norm * norm / K;
    muon.step(objective, static_cast<std::uint64_t>(k), 1.0, false);
  }
  return average;
}

}  // namespace kaon::test

#endif
