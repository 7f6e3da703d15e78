#ifndef KAON_BENCH_MATRICES_HPP
#define KAON_BENCH_MATRICES_HPP

#include "bench.hpp"

#include <kaon/core/types.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kaon::bench {

/// Standard normal entries, made on the device from a fixed seed.
Matrix<float, Exec> normal_matrix(Exec const& exec, std::string const& label, int rows, int cols, std::uint64_t seed);

/// G = U·diag(s)·Vᵀ with rows ≤ cols, s falling geometrically from 1 to 1/kappa, and its polar factor U·Vᵀ; row-major, fp64. The
/// singular vectors are those of a normal matrix.
struct Conditioned {
  int rows, cols;
  std::vector<double> G, polar, s;
  std::vector<double> u, vt;  ///< rows×rows, rows×cols
};
Conditioned conditioned(int rows, int cols, double kappa, std::uint64_t seed);

/// U·diag(f)·Vᵀ with the vectors of `of`.
std::vector<double> with_values(Conditioned const& of, std::vector<double> const& f);

/// Largest singular value of a rows×cols matrix.
double spectral_norm(int rows, int cols, std::vector<double> const& a);

}  // namespace kaon::bench

#endif
