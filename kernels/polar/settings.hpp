#ifndef KAON_POLAR_SETTINGS_HPP
#define KAON_POLAR_SETTINGS_HPP

#include <optional>
#include <string>
#include <vector>

namespace kaon {

struct PolarSettings {
  std::string set = "polar-express";  ///< a name of polar_sets()
  int steps = 5;                      ///< polynomials in the composition; more are more accurate
  bool exact = false;                 ///< by an SVD on the host instead: a reference, slow
  bool qdwh = false;                  ///< by Qdwh in fp64 instead; oracles know it, class Polar does not
  std::string form = "auto";          ///< a name of polar_forms(): how the polynomials are evaluated
  std::string scaling = "frobenius";  ///< a name of polar_scalings(): what brings the singular values into [0, 1]
  double tolerance = 0;               ///< > 0: as many steps as bring |p(σ) − 1| below it on [lower, 1]; `steps` is ignored
  double lower = 1e-3;                ///< smallest σ, after scaling, that polar-express and minimax are made for
  bool half = false;                  ///< bf16 products with fp32 sums: float on a device; on a host an emulation, very slow
  /// Form gram: the steps, from 1, before which Q is applied and R rebuilt. Absent: by the rule of plan.hpp. Empty: never.
  std::optional<std::vector<int>> restarts = std::nullopt;

  bool operator==(PolarSettings const&) const = default;
};

}  // namespace kaon

#endif
