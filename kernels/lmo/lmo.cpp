#include <kaon/lmo/lmo.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/lmo/norms.hpp>

#include <algorithm>
#include <cmath>
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

NormTraits const& traits_of(std::string const& norm) {
  require_known("norm", norm, lmo_norms());
  auto const& table = norm_table<float, Kokkos::DefaultHostExecutionSpace>();
  return std::find_if(table.begin(), table.end(), [&](auto const& entry) { return entry.traits.name == norm; })->traits;
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
  auto const& traits = traits_of(settings.norm);
  if (traits.check) traits.check({settings, block.rows, block.cols});
  return block;
}

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_block(NormBlock const& block) {
  auto const& table = norm_table<T, Exec>();
  auto const entry =
      std::find_if(table.begin(), table.end(), [&](auto const& e) { return e.traits.name == block.settings.norm; });
  auto made = entry->make(block);
  if constexpr (std::is_same_v<T, double>)
    if (entry->traits.squares(block.settings)) return make_any_size_lmo<Exec>(std::move(made));
  return made;
}

}  // namespace

std::vector<std::string> lmo_scales() { return {"none", "muon", "rms", "moonlight", "input"}; }

double lmo_scale(std::string const& norm, std::string const& scale, int rows, int cols) {
  auto const& traits = traits_of(norm);
  require_known("scale", scale, lmo_scales());
  require(rows > 0 && cols > 0, "lmo_scale: a layer needs at least one row and one column");
  double const m = rows;
  double const n = cols;
  if (std::find(traits.scales.begin(), traits.scales.end(), scale) == traits.scales.end())
    throw UsageError("scale '" + scale + "' means nothing for the norm '" + norm + "'; use one of: " + list(traits.scales));
  if (scale == "none") return 1;
  if (scale == "muon") return std::sqrt(std::max(1.0, m / n));
  if (scale == "moonlight") return 0.2 * std::sqrt(std::max(m, n));
  if (scale == "input") return 1 / n;
  return traits.rms(m, n);
}

double lmo_cost(LmoSettings const& settings, int rows, int cols) {
  auto const [m, n] = block_shape(settings, rows, cols);
  lmo_scale(settings.norm, settings.scale, m, n);
  return settings.row_blocks * settings.col_blocks * traits_of(settings.norm).cost({settings, m, n});
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
  bool const together = traits_of(settings.norm).stacks(settings);
  double const scale = settings.factor * lmo_scale(settings.norm, settings.scale, m, n);
  auto block = make_block<T, Exec>({settings, m, n, together ? blocks : 1, scale});
  if (blocks == 1 || (together && settings.col_blocks == 1)) return block;
  return make_fused_lmo<T, Exec>(std::move(block), rows, cols, settings.row_blocks, settings.col_blocks);
}

#define KAON_KERNEL(T, Exec)   \
  template class Lmo<T, Exec>; \
  template std::unique_ptr<Lmo<T, Exec>> make_lmo<T, Exec>(LmoSettings const&, int, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
