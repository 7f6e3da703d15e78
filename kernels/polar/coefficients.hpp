#ifndef KAON_POLAR_COEFFICIENTS_HPP
#define KAON_POLAR_COEFFICIENTS_HPP

#include <string>
#include <vector>

namespace kaon {

/// One step of the iteration: p(x) = a·x + b·x³ + c·x⁵ on singular values, X ← aX + b(XXᵀ)X + c(XXᵀ)²X on matrices.
struct Triple {
  double a, b, c;
  double operator()(double x) const { return x * (a + x * x * (b + x * x * c)); }
};

/// The odd quintic closest to 1 in the maximum norm on [lower, upper], 0 < lower ≤ upper: its error equioscillates at 4 points
/// (Remez; arXiv 2505.16932, Algorithm 1). Throws std::invalid_argument on another interval.
Triple minimax_quintic(double lower, double upper);

/// Composition of `steps` quintics, each the best one for the interval that the steps before leave of [lower, 1]
/// (Polar Express, arXiv 2505.16932 §3 and its Appendix for the two safeguards):
///   cushion   no interval starts below cushion·upper; where this acts, the quintic is rescaled to be centred on 1;
///   safety    every step but the last takes p(x/safety), so that rounding cannot leave the interval (1: off).
/// Throws std::invalid_argument unless steps ≥ 1, 0 < lower < 1, 0 ≤ cushion < 1, safety ≥ 1.
std::vector<Triple> minimax_composition(int steps, double lower, double cushion, double safety);

/// The table of a named set for a number of steps ≥ 1, for singular values in [0, 1]:
///   muon           Jordan's triple (3.4445, −4.7750, 2.0315) at every step; does not converge, settles in 0.68…1.13
///   you            J. You's five triples; exactly 5 steps
///   polar-express  minimax for [lower, 1]; up to 5 steps with cushion 0.02 and safety 1.02, beyond with cushion 0.0240733 and no
///                  safety: for lower = 10⁻³ the published tables of 5 and 8 terms
///   cans           minimax for [10⁻³, 1] without safeguards (arXiv 2506.10935)
///   minimax        the same for [lower, 1]: the fewest steps that there are for an interval and an error; needs singular values
///                  that do not pass 1
/// Throws UsageError on another name (naming the known ones), a number of steps that the set does not have, or lower outside
/// (0, 1).
std::vector<Triple> polar_coefficients(std::string const& set, int steps, double lower = 1e-3);

/// The table of a generated set (polar-express, minimax, cans) with the fewest steps whose worst_error(table, lower) is at most
/// `tolerance`. Throws UsageError when 40 steps are too few, on other sets, and unless 0 < tolerance < 1.
std::vector<Triple> polar_coefficients_within(std::string const& set, double tolerance, double lower = 1e-3);

/// max |polar_map(σ) − 1| over σ in [lower, 1], on 8193 points spaced geometrically (an interior extremum is missed by less than
/// 1e-5 of itself).
double worst_error(std::vector<Triple> const& table, double lower);

/// The names that polar_coefficients knows.
std::vector<std::string> polar_sets();

/// The composed scalar map: what the iteration does to a singular value.
double polar_map(std::vector<Triple> const& table, double sigma);

}  // namespace kaon

#endif
