// Measured against the bounds of "Error Feedback for Muon and Friends" (arXiv 2510.00643), in double, with exact constants.
#include "run.hpp"

#include <gtest/gtest.h>

namespace kaon::test {
namespace {

double top_alpha_l1(std::string const& spec) {
  double const kept = euclidean_alpha(spec);  // K/mn; the rest is at most (1 − K/mn)‖x‖₁
  return 1 - (1 - kept) * (1 - kept);
}

std::vector<Theory> combinations() {
  auto const a = [](char const* spec) { return euclidean_alpha(spec); };
  return {
      {"frobenius", "identity", "identity", 1, 1},
      {"frobenius", "top:0.3", "top:0.3", a("top:0.3"), a("top:0.3")},
      {"frobenius", "top:0.1", "top:0.25", a("top:0.1"), a("top:0.25")},
      {"frobenius", "natural", "natural", a("natural"), a("natural")},
      {"frobenius", "top:0.5+natural", "identity", a("top:0.5+natural"), 1},
      {"max-abs", "top:0.25", "identity", top_alpha_l1("top:0.25"), 1},
      {"spectral", "identity", "identity", 1, 1},
  };
}

// The bracket of (a): L/2 + 2L q_P/(1−q_P) + 2 L̄ · q_D/(1−q_D) · (1+q_P)/(1−q_P).
double bracket(Theory const& c, Smoothness const& L) {
  double const p = c.q_down(), d = c.q_up();
  return L.whole / 2 + 2 * L.whole * p / (1 - p) + 2 * L.mean * d / (1 - d) * (1 + p) / (1 - p);
}

struct Convergence : ::testing::Test {
  TheoryProblem problem;
};

TEST_F(Convergence, AverageGradientObeysTheDeterministicBound) {
  int const K = 600;
  for (auto const& c : combinations()) {
    Smoothness const L(problem, Geometry{c.norm});
    double const C = bracket(c, L), D0 = problem.gap();
    // The best t for the bound, and one on either side of it.
    for (double const factor : {0.25, 1.0, 4.0}) {
      double const t = factor * std::sqrt(D0 / (C * K));
      double const bound = D0 / (t * K) + t * C, measured = run(problem, c, K, t).norm;
      std::printf("%-9s up %-15s down %-8s L %6.3f  t %.2e: average gradient %8.4f, bound %8.4f (%.2f of it)\n", c.norm.c_str(),
                  c.uplink.c_str(), c.downlink.c_str(), L.whole, t, measured, bound, measured / bound);
      EXPECT_LE(measured, bound);
      EXPECT_GT(measured, 0);
    }
  }
}

// What the first term of the bound says, from below: K steps of size t cannot go further than tK.
TEST_F(Convergence, TheBoundIsWithinAFactorOfWhatIsMeasuredForSmallSteps) {
  Theory const c{"frobenius", "top:0.3", "identity", euclidean_alpha("top:0.3"), 1};
  Smoothness const L(problem, Geometry{c.norm});
  int const K = 400;
  double const D0 = problem.gap(), t = 0.1 * std::sqrt(D0 / (bracket(c, L) * K));
  double const bound = D0 / (t * K) + t * bracket(c, L), measured = run(problem, c, K, t).norm;
  std::printf("small steps: average gradient %.4f, bound %.4f\n", measured, bound);
  HostMatrix g0;
  problem.value(HostMatrix(TheoryProblem::rows, TheoryProblem::cols), &g0);
  EXPECT_GE(measured, Geometry::frobenius(g0) - L.whole * t * K) << "the gradient cannot change faster than L t a step";
  EXPECT_LE(measured, bound);
}

TEST_F(Convergence, AverageGradientFallsAsTheSquareRootOfTheSteps) {
  for (auto const& c : {combinations()[0], combinations()[1], combinations()[5], combinations()[6]}) {
    double const eta = 4 * (c.norm == "frobenius" ? 1.0 : c.norm == "spectral" ? 0.3 : 0.1);
    std::vector<double> measured;
    for (int const K : {256, 1024, 4096}) measured.push_back(run(problem, c, K, eta / std::sqrt(K)).norm);
    double const slope = std::log(measured[2] / measured[0]) / std::log(16.0);
    std::printf("%-9s up %-8s down %-8s: %.4f, %.4f, %.4f at 256, 1024, 4096 steps; slope %.3f (theory -0.5)\n", c.norm.c_str(),
                c.uplink.c_str(), c.downlink.c_str(), measured[0], measured[1], measured[2], slope);
    EXPECT_LT(slope, -0.4);
    EXPECT_GT(slope, -0.7);
  }
}

TEST_F(Convergence, AdaptiveRadiusObeysItsBound) {
  int const K = 1500;
  for (auto const& c : combinations()) {
    if (c.norm == "spectral" && c.uplink != "identity") continue;
    Smoothness const L(problem, Geometry{c.norm});
    double const d2 = c.alpha_up * c.alpha_up, p2 = c.alpha_down * c.alpha_down;
    double const gamma = 1 / std::max(2 * L.whole, L.rms * std::sqrt(320 / d2 + 40 / p2 + 1280 / (d2 * p2)));
    double const bound = 16 * problem.gap() / (gamma * K), measured = run(problem, c, K, gamma, 1, 0, true).square;
    std::printf("%-9s up %-15s down %-8s gamma %.2e: average squared gradient %.4f, bound %.4f (%.3f of it)\n", c.norm.c_str(),
                c.uplink.c_str(), c.downlink.c_str(), gamma, measured, bound, measured / bound);
    EXPECT_LE(measured, bound);
  }
}

// Below the edge of stability the adaptive form is gradient descent with a step that shrinks by itself: it converges, as no
// constant radius does, with compression both ways.
TEST_F(Convergence, AdaptiveRadiusReachesTheOptimum) {
  for (auto const& c : {combinations()[0], combinations()[1]}) {
    Smoothness const L(problem, Geometry{c.norm});
    double const gamma = c.uplink == "identity" ? 1 / L.whole : 0.1 / L.whole;
    double const early = run(problem, c, 500, gamma, 1, 0, true).square * 500,
                 late = run(problem, c, 4000, gamma, 1, 0, true).square * 4000;
    double const tail = (late - early) / 3500;
    std::printf("%s up %s: mean squared gradient %.3e in the first 500 steps, %.3e in the next 3500\n", c.norm.c_str(),
                c.uplink.c_str(), early / 500, tail);
    EXPECT_LT(tail, 1e-5 * early / 500);
  }
}

// Rounds of H steps in which workers walk to meet gradients: (a) and t_in(H−1)·L̄·(1 + 2q_D/(1−q_D)) for where they were met.
TEST_F(Convergence, RoundsOfGradientsObeyTheirBound) {
  int const K = 400;
  for (auto const& c : combinations())
    for (std::uint64_t const H : {1, 2, 8}) {
      Smoothness const L(problem, Geometry{c.norm});
      double const C = bracket(c, L), D0 = problem.gap(), d = c.q_up(), t = std::sqrt(D0 / (C * K));
      for (double const inner : {0.1 * t, t}) {
        double const walked = inner * static_cast<double>(H - 1) * L.mean * (1 + 2 * d / (1 - d));
        double const bound = D0 / (t * K) + t * C + walked, measured = run_rounds(problem, c, K, H, t, inner);
        std::printf("%-9s up %-15s down %-8s rounds of %d, inner steps %.2e: average gradient %8.4f, bound %8.4f (%.2f of it)\n",
                    c.norm.c_str(), c.uplink.c_str(), c.downlink.c_str(), static_cast<int>(H), inner, measured, bound,
                    measured / bound);
        EXPECT_LE(measured, bound);
        EXPECT_GT(measured, 0);
      }
    }
}

TEST_F(Convergence, StochasticAverageObeysItsBound) {
  double const sigma = 2;
  for (auto const& c : {combinations()[0], combinations()[1], combinations()[3]}) {
    Smoothness const L(problem, Geometry{c.norm});
    double const p = c.q_down(), d = c.q_up(), n = TheoryProblem::workers;
    std::vector<double> averages;
    for (int const K : {256, 4096}) {
      double const beta = 1 / std::sqrt(K), t = 4 * std::pow(K, -0.75), w = t * (1 + p) / (1 - p), rho = 1;
      double const bound =
          problem.gap() / (t * K) + L.whole * t / 2 +
          2 * (L.whole * p / (1 - p) * t + rho * sigma / (std::sqrt(n) * beta * K) + rho * sigma * std::sqrt(beta / n) +
               (1 - beta) / beta * L.whole * w + rho * d / (1 - d) * (beta * sigma * (2 + std::sqrt(beta)) + L.mean * w));
      double measured = 0;
      for (std::uint64_t const seed : {1, 2, 3}) measured += run(problem, c, K, t, beta, sigma, false, seed).norm / 3;
      std::printf("noise %.1f, up %-9s down %-9s K %4d: average gradient %.4f, bound %.4f (%.2f of it)\n", sigma,
                  c.uplink.c_str(), c.downlink.c_str(), K, measured, bound, measured / bound);
      EXPECT_LE(measured, bound);
      averages.push_back(measured);
    }
    double const slope = std::log(averages[1] / averages[0]) / std::log(16.0);
    std::printf("  slope %.3f (the bound falls as K^-0.25)\n", slope);
    EXPECT_LT(slope, -0.2);
  }
}

}  // namespace
}  // namespace kaon::test
