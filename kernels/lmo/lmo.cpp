#include <kaon/lmo/lmo.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/lmo/norms.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {
namespace {

std::string list(std::vector<std::string> const& names) {
  std::string s;
  for (auto const& name : names) s += (s.empty() ? "" : ", ") + name;
  return s;
}

void require_known(char const* what, std::string const& name, std::vector<std::string> const& known) {
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw UsageError("unknown " + std::string(what) + " '" + name + "'; known: " + list(known));
}

/// Rows of one block, after every check of the settings.
int block_rows(LmoSettings const& settings, int rows, int cols) {
  require(rows > 0 && cols > 0, "lmo: a layer needs at least one row and one column");
  require_known("norm", settings.norm, lmo_norms());
  require_known("scale", settings.scale, lmo_scales());
  if (!(settings.factor > 0) || !std::isfinite(settings.factor))
    throw UsageError("norm '" + settings.norm + "': factor must be positive, not " + std::to_string(settings.factor));
  if (settings.row_blocks < 1 || rows % settings.row_blocks != 0)
    throw UsageError("norm '" + settings.norm + "': row_blocks = " + std::to_string(settings.row_blocks) +
                     " does not divide the " + std::to_string(rows) + " rows of the layer");
  return rows / settings.row_blocks;
}

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_block(LmoSettings const& settings, int rows, int cols) {
  double const s = settings.factor * lmo_scale(settings.norm, settings.scale, rows, cols);
  if (settings.norm == "spectral") return make_spectral_lmo<T, Exec>(settings.polar, rows, cols, s);
  if (settings.norm == "max-abs") return make_max_abs_lmo<T, Exec>(rows, cols, s);
  if (settings.norm == "frobenius") return make_frobenius_lmo<T, Exec>(rows, cols, s);
  if (settings.norm == "column") return make_column_lmo<T, Exec>(rows, cols, s);
  return make_row_lmo<T, Exec>(rows, cols, s);
}

}  // namespace

std::vector<std::string> lmo_norms() { return {"spectral", "max-abs", "frobenius", "column", "row"}; }

std::vector<std::string> lmo_scales() { return {"none", "muon", "rms", "moonlight", "input"}; }

double lmo_scale(std::string const& norm, std::string const& scale, int rows, int cols) {
  require_known("norm", norm, lmo_norms());
  require_known("scale", scale, lmo_scales());
  require(rows > 0 && cols > 0, "lmo_scale: a layer needs at least one row and one column");
  double const m = rows;
  double const n = cols;
  if (scale == "none") return 1;
  if (scale == "muon") return std::sqrt(std::max(1.0, m / n));
  if (scale == "moonlight") return 0.2 * std::sqrt(std::max(m, n));
  if (scale == "input") return 1 / n;
  if (norm == "column") return std::sqrt(m);
  if (norm == "row") return 1 / std::sqrt(n);
  if (norm == "max-abs")
    throw UsageError("scale 'rms' means nothing for the norm 'max-abs'; use 'input' (1/columns) or another of: " +
                     list(lmo_scales()));
  return std::sqrt(m / n);
}

double lmo_cost(LmoSettings const& settings, int rows, int cols) {
  int const m = block_rows(settings, rows, cols);
  lmo_scale(settings.norm, settings.scale, m, cols);
  if (settings.norm == "spectral") {
    polar_coefficients(settings.polar.set, settings.polar.steps);
    return settings.row_blocks * polar_cost(settings.polar, m, cols);
  }
  return 4.0 * rows * cols;
}

template <class T, class Exec>
void Lmo<T, Exec>::check(ConstMatrix<T, Exec> const& Z, ConstMatrix<T, Exec> const& G) const {
  require(static_cast<int>(G.extent(0)) == rows_ && static_cast<int>(G.extent(1)) == cols_,
          "Lmo: G has another shape than the layer");
  require(static_cast<int>(Z.extent(0)) == rows_ && static_cast<int>(Z.extent(1)) == cols_,
          "Lmo: Z has another shape than the layer");
  require(Z.span_is_contiguous() && G.span_is_contiguous(), "Lmo: a matrix is not contiguous");
  require(Z.data() != G.data(), "Lmo: Z is also G");
}

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_lmo(LmoSettings const& settings, int rows, int cols) {
  int const m = block_rows(settings, rows, cols);
  auto block = make_block<T, Exec>(settings, m, cols);
  if (settings.row_blocks == 1) return block;
  return make_fused_lmo<T, Exec>(std::move(block), settings.row_blocks);
}

#define KAON_KERNEL(T, Exec)   \
  template class Lmo<T, Exec>; \
  template std::unique_ptr<Lmo<T, Exec>> make_lmo<T, Exec>(LmoSettings const&, int, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
