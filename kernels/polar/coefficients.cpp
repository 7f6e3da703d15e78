#include <kaon/polar/coefficients.hpp>

#include <kaon/core/error.hpp>

#include <array>
#include <cmath>
#include <utility>

namespace kaon {
namespace {

constexpr double lowest = 1e-3;  // the smallest relative singular value that the published minimax sets are made for

/// Gaussian elimination with partial pivoting of a 4×4 system; the last column is the right-hand side.
std::array<double, 4> solve4(std::array<std::array<double, 5>, 4> a) {
  for (std::size_t j = 0; j < 4; ++j) {
    std::size_t p = j;
    for (std::size_t i = j + 1; i < 4; ++i)
      if (std::fabs(a[i][j]) > std::fabs(a[p][j])) p = i;
    std::swap(a[j], a[p]);
    for (std::size_t i = j + 1; i < 4; ++i) {
      double const f = a[i][j] / a[j][j];
      for (std::size_t c = j; c < 5; ++c) a[i][c] -= f * a[j][c];
    }
  }
  std::array<double, 4> x{};
  for (std::size_t i = 4; i-- > 0;) {
    double s = a[i][4];
    for (std::size_t c = i + 1; c < 4; ++c) s -= a[i][c] * x[c];
    x[i] = s / a[i][i];
  }
  return x;
}

}  // namespace

Triple minimax_quintic(double lower, double upper) {
  require(lower > 0 && lower <= upper, "minimax_quintic: needs 0 < lower <= upper");
  // Nearer than this the four points coincide in double: the limit is the Padé (Newton–Schulz) quintic.
  if (lower / upper >= 1 - 5e-6)
    return {15.0 / 8 / upper, -10.0 / 8 / (upper * upper * upper), 3.0 / 8 / (upper * upper * upper * upper * upper)};
  double q = (3 * lower + upper) / 4;
  double r = (lower + 3 * upper) / 4;
  double error = 0;
  Triple p{};
  for (int sweep = 0; sweep < 100; ++sweep) {
    std::array<double, 4> const at{lower, q, r, upper};
    std::array<std::array<double, 5>, 4> system{};
    for (std::size_t i = 0; i < 4; ++i) {
      double const x = at[i];
      system[i] = {x, x * x * x, x * x * x * x * x, i % 2 == 0 ? 1.0 : -1.0, 1.0};
    }
    auto const [a, b, c, e] = solve4(system);
    p = {a, b, c};
    bool const settled = sweep > 0 && std::fabs(e - error) <= 1e-15;
    error = e;
    double const root = std::sqrt(std::fmax(0.0, 9 * b * b - 20 * a * c));
    q = std::sqrt((-3 * b - root) / (10 * c));
    r = std::sqrt((-3 * b + root) / (10 * c));
    if (settled) break;
  }
  return p;
}

std::vector<Triple> minimax_composition(int steps, double lower, double cushion, double safety) {
  require(steps >= 1 && lower > 0 && lower < 1 && cushion >= 0 && cushion < 1 && safety >= 1,
          "minimax_composition: needs steps >= 1, 0 < lower < 1, 0 <= cushion < 1, safety >= 1");
  std::vector<Triple> table;
  double l = lower;
  double u = 1;
  for (int step = 0; step < steps; ++step) {
    Triple p = minimax_quintic(std::fmin(std::fmax(l, cushion * u), u), u);
    if (cushion * u > l) {
      double const centre = 2 / (p(l) + p(u));
      p = {p.a * centre, p.b * centre, p.c * centre};
    }
    if (step + 1 < steps) {
      double const s2 = safety * safety;
      p = {p.a / safety, p.b / (safety * s2), p.c / (safety * s2 * s2)};
    }
    table.push_back(p);
    l = p(l);
    u = 2 - l;
  }
  return table;
}

std::vector<std::string> polar_sets() { return {"muon", "you", "polar-express", "cans", "minimax"}; }

std::vector<Triple> polar_coefficients(std::string const& set, int steps, double lower) {
  if (steps < 1) throw UsageError("polar set '" + set + "': steps must be at least 1, not " + std::to_string(steps));
  if (!(lower > 0 && lower < 1))
    throw UsageError("polar set '" + set + "': lower must be in (0, 1), not " + std::to_string(lower));
  if (set == "muon") return std::vector<Triple>(static_cast<std::size_t>(steps), Triple{3.4445, -4.7750, 2.0315});
  if (set == "you") {
    if (steps != 5) throw UsageError("polar set 'you' has exactly 5 steps, not " + std::to_string(steps) + "; set steps to 5");
    return {{4.0848, -6.8946, 2.9270},
            {3.9505, -6.3029, 2.6377},
            {3.7418, -5.5913, 2.3037},
            {2.8769, -3.1427, 1.2046},
            {2.8366, -3.0525, 1.2012}};
  }
  if (set == "polar-express")
    return steps <= 5 ? minimax_composition(steps, lower, 0.02, 1.02) : minimax_composition(steps, lower, 0.02407327424182761, 1);
  if (set == "cans") return minimax_composition(steps, lowest, 0, 1);
  if (set == "minimax") return minimax_composition(steps, lower, 0, 1);
  std::string known;
  for (auto const& name : polar_sets()) known += (known.empty() ? "" : ", ") + name;
  throw UsageError("unknown polar set '" + set + "'; known: " + known);
}

std::vector<Triple> polar_coefficients_within(std::string const& set, double tolerance, double lower) {
  constexpr int most = 40;
  if (set == "muon" || set == "you")
    throw UsageError("polar set '" + set + "' is a fixed table and converges to no tolerance; use polar-express or minimax");
  if (!(tolerance > 0 && tolerance < 1))
    throw UsageError("polar set '" + set + "': tolerance must be in (0, 1), not " + std::to_string(tolerance));
  for (int steps = 1; steps <= most; ++steps) {
    auto table = polar_coefficients(set, steps, lower);
    if (worst_error(table, lower) <= tolerance) return table;
  }
  throw UsageError("polar set '" + set + "' does not reach its tolerance on [lower, 1] within " + std::to_string(most) +
                   " steps; raise tolerance or lower");
}

double worst_error(std::vector<Triple> const& table, double lower) {
  constexpr int points = 8192;
  double worst = 0;
  for (int i = 0; i <= points; ++i) {
    double const sigma = std::pow(lower, 1 - static_cast<double>(i) / points);
    worst = std::fmax(worst, std::fabs(polar_map(table, sigma) - 1));
  }
  return worst;
}

double polar_map(std::vector<Triple> const& table, double sigma) {
  for (auto const& p : table) sigma = p(sigma);
  return sigma;
}

}  // namespace kaon
