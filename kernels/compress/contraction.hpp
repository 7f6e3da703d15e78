#ifndef KAON_COMPRESS_CONTRACTION_HPP
#define KAON_COMPRESS_CONTRACTION_HPP

#include <string>
#include <vector>

namespace kaon {

/// The names that guaranteed_alpha takes: frobenius; entry-l1 Σ|x|; max-abs; column and row (the largest 2-norm of a column, of a
/// row) and their duals column-sum and row-sum; spectral and its dual nuclear.
std::vector<std::string> const& contraction_norms();

/// α with E‖C(x) − x‖² ≤ (1 − α)‖x‖² for every rows×cols matrix x in the norm named, C the compressor of `spec`; 0 where none is
/// known. EF21-Muon's theorems ask it of the uplink in the dual norm, of the downlink in the primal one.
///
///   identity, damp:G        the Euclidean α in every norm (the error is a multiple of x)
///   dropout:P[+SPEC]        P α_SPEC in every norm
///   natural                 8/9 in entry-l1, max-abs, column, row, column-sum, row-sum: no entry moves by more than |x|/3
///   natural:stochastic      7/8 in the three sums: E(Σ‖e_j‖)² ≤ (Σ √E‖e_j‖²)² (Minkowski) with E‖e_j‖² ≤ ‖x_j‖²/8
///   top:F                   entry-l1 1 − (1 − d)², d = K/mn: the kept entries hold at least d of Σ|x|
///   columns:F               column-sum, the same with d = K/n
///     … +natural            d(1 − ⅓) for d;  … +natural:stochastic: d(1 − 1/√8)
///   rand:F[+natural…]       the Euclidean α in the three sums, by Minkowski as above
///   rank, bits, dither, sign: none but the Euclidean one. `coded` changes nothing. Throws UsageError on a bad spec or an
/// unknown norm.
double guaranteed_alpha(std::string const& spec, int rows, int cols, std::string const& norm);

/// α of the truncated SVD of rank K among r = min(m, n): frobenius K/r, nuclear 1 − (1 − K/r)², else 0 unless K = r. `rank:F`
/// reaches it where its iteration has converged, and guarantees nothing before.
double truncated_svd_alpha(int rank, int least, std::string const& norm);

}  // namespace kaon

#endif
