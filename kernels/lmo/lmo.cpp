#include <kaon/lmo/lmo.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/lmo/norms.hpp>
#include <kaon/polar/gram_eigen.hpp>
#include <kaon/polar/qdwh.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <type_traits>
#include <utility>

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

bool one_of(std::string const& name, std::initializer_list<char const*> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Needs singular values themselves, not a polynomial of the matrix.
bool by_singular_values(LmoSettings const& settings) {
  return one_of(settings.norm, {"nuclear", "schatten", "ky-fan", "dual-ky-fan"}) ||
         (settings.norm == "spectral" && settings.polar.exact);
}

struct Shape {
  int rows, cols;
};

void require_divides(LmoSettings const& settings, char const* key, int blocks, char const* lines, int count) {
  if (blocks < 1 || count % blocks != 0)
    throw UsageError("norm '" + settings.norm + "': " + key + " = " + std::to_string(blocks) + " does not divide the " +
                     std::to_string(count) + " " + lines + " of the layer");
}

/// Shape of one block, after every check of the settings.
Shape block_shape(LmoSettings const& settings, int rows, int cols) {
  require(rows > 0 && cols > 0, "lmo: a layer needs at least one row and one column");
  require_known("norm", settings.norm, lmo_norms());
  require_known("scale", settings.scale, lmo_scales());
  std::string const norm = "norm '" + settings.norm + "': ";
  if (!(settings.factor > 0) || !std::isfinite(settings.factor))
    throw UsageError(norm + "factor must be positive, not " + std::to_string(settings.factor));
  require_divides(settings, "row_blocks", settings.row_blocks, "rows", rows);
  require_divides(settings, "col_blocks", settings.col_blocks, "columns", cols);
  Shape const block{rows / settings.row_blocks, cols / settings.col_blocks};
  // Beyond these ends p is spectral or nuclear to rounding, and s^{q−1} would under- or overflow.
  if (settings.norm == "schatten" && !(settings.p >= 1.01 && settings.p <= 1000))
    throw UsageError(norm + "p must lie in 1.01 ... 1000, not " + std::to_string(settings.p) +
                     "; for the ends take 'nuclear' (p = 1) and 'spectral' (p infinite)");
  int const most = std::min(block.rows, block.cols);
  if (one_of(settings.norm, {"ky-fan", "dual-ky-fan"}) && (settings.k < 1 || settings.k > most))
    throw UsageError(norm + "k must lie in 1 ... " + std::to_string(most) + " for blocks of " + std::to_string(block.rows) +
                     " x " + std::to_string(block.cols) + ", not " + std::to_string(settings.k));
  return block;
}

/// Whether one oracle does for a stack of matrices at once: polynomials in batches; the others look at single entries or rows.
bool stacks(LmoSettings const& settings) {
  return one_of(settings.norm, {"max-abs", "row", "inf-to-inf"}) ||
         (settings.norm == "spectral" && !settings.polar.exact && !settings.polar.qdwh);
}

/// Whether the oracle squares entries in the type of G itself.
bool squares_entries(LmoSettings const& settings) {
  return one_of(settings.norm, {"frobenius", "column", "row"}) || (settings.norm == "spectral" && !settings.polar.exact);
}

/// The oracle of one rows×cols block, or of a stack of `batch` of them, for entries of common size.
template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_plain_block(LmoSettings const& settings, int block_rows, int cols, int batch) {
  auto const& norm = settings.norm;
  double const s = settings.factor * lmo_scale(norm, settings.scale, block_rows, cols);
  int const rows = block_rows * batch;
  if (by_singular_values(settings)) return make_singular_lmo<T, Exec>(settings, rows, cols, s);
  if (norm == "spectral" && settings.polar.qdwh) return make_qdwh_lmo<T, Exec>(rows, cols, s);
  if (norm == "spectral") return make_spectral_lmo<T, Exec>(settings.polar, block_rows, cols, batch, s);
  if (norm == "max-abs") return make_max_abs_lmo<T, Exec>(rows, cols, s);
  if (norm == "frobenius") return make_frobenius_lmo<T, Exec>(rows, cols, s);
  if (norm == "column") return make_line_lmo<T, Exec>(Lines::columns, rows, cols, s);
  if (norm == "row") return make_line_lmo<T, Exec>(Lines::rows, rows, cols, s);
  if (norm == "one-to-one") return make_one_hot_lmo<T, Exec>(Lines::columns, rows, cols, s);
  if (norm == "inf-to-inf") return make_one_hot_lmo<T, Exec>(Lines::rows, rows, cols, s);
  return make_one_hot_lmo<T, Exec>(Lines::whole, rows, cols, s);
}

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_block(LmoSettings const& settings, int block_rows, int cols, int batch) {
  auto block = make_plain_block<T, Exec>(settings, block_rows, cols, batch);
  if constexpr (std::is_same_v<T, double>)
    if (squares_entries(settings)) return make_any_size_lmo<Exec>(std::move(block));
  return block;
}

}  // namespace

std::vector<std::string> lmo_norms() {
  return {"spectral", "max-abs", "frobenius",  "column",     "row",    "nuclear",
          "schatten", "l1",      "one-to-one", "inf-to-inf", "ky-fan", "dual-ky-fan"};
}

std::vector<std::string> lmo_scales() { return {"none", "muon", "rms", "moonlight", "input"}; }

double lmo_scale(std::string const& norm, std::string const& scale, int rows, int cols) {
  require_known("norm", norm, lmo_norms());
  require_known("scale", scale, lmo_scales());
  require(rows > 0 && cols > 0, "lmo_scale: a layer needs at least one row and one column");
  double const m = rows;
  double const n = cols;
  bool const single_entries = one_of(norm, {"l1", "one-to-one", "inf-to-inf"});
  if (single_entries && !one_of(scale, {"none", "input"}))
    throw UsageError("scale '" + scale + "' means nothing for the norm '" + norm + "'; use one of: none, input");
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
  auto const [m, n] = block_shape(settings, rows, cols);
  lmo_scale(settings.norm, settings.scale, m, n);
  if (by_singular_values(settings)) return settings.row_blocks * settings.col_blocks * gram_polar_cost(m, n);
  if (settings.norm == "spectral" && settings.polar.qdwh) return settings.row_blocks * settings.col_blocks * qdwh_cost(m, n);
  if (settings.norm == "spectral") return settings.row_blocks * settings.col_blocks * polar_cost(settings.polar, m, n);
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
  auto const [m, n] = block_shape(settings, rows, cols);
  int const blocks = settings.row_blocks * settings.col_blocks;
  bool const together = stacks(settings);
  auto block = make_block<T, Exec>(settings, m, n, together ? blocks : 1);
  if (blocks == 1 || (together && settings.col_blocks == 1)) return block;
  return make_fused_lmo<T, Exec>(std::move(block), rows, cols, settings.row_blocks, settings.col_blocks);
}

#define KAON_KERNEL(T, Exec)   \
  template class Lmo<T, Exec>; \
  template std::unique_ptr<Lmo<T, Exec>> make_lmo<T, Exec>(LmoSettings const&, int, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
