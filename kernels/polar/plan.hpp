#ifndef KAON_POLAR_PLAN_HPP
#define KAON_POLAR_PLAN_HPP

#include <kaon/polar/coefficients.hpp>
#include <kaon/polar/settings.hpp>

#include <string>
#include <vector>

namespace kaon {

/// What a Polar will do, decided from its settings and the shape alone.
///
/// Every form is one loop on X, l×s with l ≥ s (transposed when wide), in segments of steps: at the start of a segment
/// R = XᵀX; a step makes P = aI + bR + cR² and Q ← QP (Q = P in the first), and, if the segment goes on, R ← RP²; at its end
/// X ← XQ (method.md §6; P² is a symmetric square, cheaper than Gram Newton–Schulz' Z(RZ) + a(RZ)).
///   standard   a segment is one step; plain products
///   symmetric  a segment is one step; products that use symmetry
///   gram       long segments. The rounding of R, ε of its largest eigenvalue, grows by a² a step relative to the small ones
///              (and is reset by a restart), so a segment ends before ε·Π a² over its earlier steps passes
///                max(100·ε, min(0.2·worst_error(table, lower), 0.03)):
///              a small part of the polynomial's own error, or what the standard form loses too.
///   auto       symmetric or gram with these restarts, whichever costs less by `work`: gram for oblong matrices. half: standard
/// Five steps of polar-express: no restart; 8 steps (float and double): before steps 3 and 5, with
/// which gram loses what symmetric loses (kaon-bench --accuracy).
struct PolarPlan {
  std::vector<Triple> table;
  std::vector<bool> starts;  ///< starts[k]: step k (from 0) opens a segment; starts[0] is true
  bool symmetric = true;     ///< products use symmetry
  double flops = 0;          ///< multiplications and additions
  double work = 0;  ///< the same in flops of a plain gemm of the same speed (measured weights: AAᵀ 1.1, AB 1.4 per flop)
};

/// The plan for rows×cols matrices in arithmetic of machine epsilon `epsilon`. Throws UsageError on unknown names, restarts
/// outside 2…steps, or settings that exclude each other (half with a form other than auto and standard).
PolarPlan make_polar_plan(PolarSettings const& settings, int rows, int cols, double epsilon);

/// "auto", "standard", "symmetric", "gram".
std::vector<std::string> polar_forms();

/// "frobenius": by ‖G‖_F. "spectral": by an upper bound of ‖G‖₂ (see spectral_scale).
std::vector<std::string> polar_scalings();

/// Floating-point operations of one call on one matrix, to balance owners by: those of the float plan, or about 20·r²·max for the
/// exact path. Same errors as make_polar_plan.
double polar_cost(PolarSettings const& settings, int rows, int cols);

}  // namespace kaon

#endif
