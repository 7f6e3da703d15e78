// The norms behind make_lmo, one source file each.
#ifndef KAON_LMO_NORMS_HPP
#define KAON_LMO_NORMS_HPP

#include <kaon/lmo/lmo.hpp>

#include <memory>

namespace kaon {

/// Dual: nuclear. Z = −s·UVᵀ.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_spectral_lmo(PolarSettings const& polar, int rows, int cols, double scale);

/// Dual: Σ|g|. Z = −s·sign(G), sign(0) = 0.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_max_abs_lmo(int rows, int cols, double scale);

/// Dual: itself. Z = −s·G/‖G‖_F.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_frobenius_lmo(int rows, int cols, double scale);

/// Dual: Σ of the columns' ℓ2 norms. Column j of Z is −s·g_j/‖g_j‖, zero for g_j = 0.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_column_lmo(int rows, int cols, double scale);

/// Dual: Σ of the rows' ℓ2 norms. Row i of Z is −s·g_i/‖g_i‖, zero for g_i = 0.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_row_lmo(int rows, int cols, double scale);

/// `blocks` matrices with the norm of `block`, stacked; the blocks are worked off one after the other with one workspace.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_fused_lmo(std::unique_ptr<Lmo<T, Exec>> block, int blocks);

}  // namespace kaon

#endif
