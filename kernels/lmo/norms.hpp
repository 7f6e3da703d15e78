// The norms behind make_lmo, one source file for each family.
#ifndef KAON_LMO_NORMS_HPP
#define KAON_LMO_NORMS_HPP

#include <kaon/lmo/lmo.hpp>
#include <kaon/lmo/registry.hpp>

#include <memory>

namespace kaon {

/// Which lines of a matrix a mixed norm looks at.
enum class Lines { rows, columns, whole };

/// Dual: nuclear. Z = −s·UVᵀ by the polynomials of `polar`, for `batch` matrices of rows×cols, stacked by rows and worked off
/// together.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_spectral_lmo(PolarSettings const& polar, int rows, int cols, int batch, double scale);

/// Dual: Σ|g|. Z = −s·sign(G), sign(0) = 0.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_max_abs_lmo(int rows, int cols, double scale);

/// Dual: itself. Z = −s·G/‖G‖_F.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_frobenius_lmo(int rows, int cols, double scale);

/// Dual: Σ of the lines' ℓ2 norms. Each line of Z (a row or a column) is −s·g/‖g‖₂, zero for g = 0.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_line_lmo(Lines lines, int rows, int cols, double scale);

/// Dual: Σ of the lines' largest |g|. Each line of Z (a row, a column, or all of it) is zero but for −s·sign(g) at its largest
/// entry, the first of equal ones; zero for g = 0.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_one_hot_lmo(Lines lines, int rows, int cols, double scale);

/// Dual: nuclear. Z = −s·UVᵀ by QDWH in fp64 on the device; in the null space of G, Z is rounding inside the ball (Qdwh).
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_qdwh_lmo(int rows, int cols, double scale);

/// The norms that are functions of the singular values: spectral (exact), nuclear, schatten, ky-fan, dual-ky-fan.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_singular_lmo(LmoSettings const& settings, int rows, int cols, double scale);

/// The singular values of −Z for those of G (descending, not all zero), on the unit ball of one of these norms:
///   spectral     1 where s > 0
///   nuclear      1 for the first
///   schatten     (s_i/‖s‖_q)^{q−1} with 1/p + 1/q = 1
///   ky-fan       1 for the first where s₁ ≥ Σs/k, else 1/k for all that are not zero
///   dual-ky-fan  1 for the first k that are not zero
std::vector<double> singular_weights(LmoSettings const& settings, std::vector<double> const& s);

// What the table lists: traits, and makers from a block.
/// √(m/n): the radius for scale rms of the norms of singular values, and of frobenius.
double spectral_rms(double m, double n);
NormTraits spectral_norm_traits();
NormTraits max_abs_norm_traits();
NormTraits frobenius_norm_traits();
NormTraits line_norm_traits(Lines lines);
NormTraits one_hot_norm_traits(Lines lines);
NormTraits singular_norm_traits(std::string const& name);

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_spectral(NormBlock const& b) {
  auto const& polar = b.settings.polar;
  if (polar.exact) return make_singular_lmo<T, Exec>(b.settings, b.rows, b.cols, b.scale);
  if (polar.qdwh) return make_qdwh_lmo<T, Exec>(b.rows, b.cols, b.scale);
  return make_spectral_lmo<T, Exec>(polar, b.rows, b.cols, b.batch, b.scale);
}
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_max_abs(NormBlock const& b) {
  return make_max_abs_lmo<T, Exec>(b.rows * b.batch, b.cols, b.scale);
}
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_frobenius(NormBlock const& b) {
  return make_frobenius_lmo<T, Exec>(b.rows, b.cols, b.scale);
}
template <class T, class Exec, Lines lines>
std::unique_ptr<Lmo<T, Exec>> make_line(NormBlock const& b) {
  return make_line_lmo<T, Exec>(lines, b.rows * b.batch, b.cols, b.scale);
}
template <class T, class Exec, Lines lines>
std::unique_ptr<Lmo<T, Exec>> make_one_hot(NormBlock const& b) {
  return make_one_hot_lmo<T, Exec>(lines, b.rows * b.batch, b.cols, b.scale);
}
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_singular(NormBlock const& b) {
  return make_singular_lmo<T, Exec>(b.settings, b.rows, b.cols, b.scale);
}

/// `inner` on c·G, c a power of two that brings the largest |g| near 1 where it is above 2^250 or below 2^−250, and 1 elsewhere:
/// for oracles that square entries, so that finite entries of any size of double keep their direction. (In float squares are
/// taken in double.) Of lines that are 1e160 apart and more the smaller counts as zero. Costs two reads and a write of G.
template <class Exec>
std::unique_ptr<Lmo<double, Exec>> make_any_size_lmo(std::unique_ptr<Lmo<double, Exec>> inner);

/// A row_blocks × col_blocks grid of matrices with the norm of `block`, worked off one after the other with one workspace; or all
/// at once, where `block` is the oracle of their stack.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_fused_lmo(std::unique_ptr<Lmo<T, Exec>> block, int rows, int cols, int row_blocks,
                                             int col_blocks);

}  // namespace kaon

#endif
