// The one table in which a norm is registered.
#include <kaon/lmo/norms.hpp>
#include <kaon/lmo/registry.hpp>

#include <algorithm>

namespace kaon {
namespace {

/// To add a norm: its file, and one line here (docs/add-a-norm.md).
template <class T, class Exec>
std::vector<NormEntry<T, Exec>> library() {
  return {
      {spectral_norm_traits(), make_spectral<T, Exec>},
      {max_abs_norm_traits(), make_max_abs<T, Exec>},
      {frobenius_norm_traits(), make_frobenius<T, Exec>},
      {line_norm_traits(Lines::columns), make_line<T, Exec, Lines::columns>},
      {line_norm_traits(Lines::rows), make_line<T, Exec, Lines::rows>},
      {singular_norm_traits("nuclear"), make_singular<T, Exec>},
      {singular_norm_traits("schatten"), make_singular<T, Exec>},
      {one_hot_norm_traits(Lines::whole), make_one_hot<T, Exec, Lines::whole>},
      {one_hot_norm_traits(Lines::columns), make_one_hot<T, Exec, Lines::columns>},
      {one_hot_norm_traits(Lines::rows), make_one_hot<T, Exec, Lines::rows>},
      {singular_norm_traits("ky-fan"), make_singular<T, Exec>},
      {singular_norm_traits("dual-ky-fan"), make_singular<T, Exec>},
  };
}

bool contains(std::vector<std::string> const& names, std::string const& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

template <class T, class Exec>
std::vector<NormEntry<T, Exec>>& norm_table() {
  static std::vector<NormEntry<T, Exec>> table = library<T, Exec>();
  return table;
}

void check_new_norm(NormTraits const& traits) {
  auto const fits = [&](bool condition, char const* why) {
    if (!condition) throw std::invalid_argument("register_norm '" + traits.name + "': " + why);
  };
  auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  fits(!traits.name.empty() && std::all_of(traits.name.begin(), traits.name.end(), letter),
       "a name has lower-case letters, digits and '-'");
  fits(!contains(lmo_norms(), traits.name), "the name is taken");
  for (auto const& scale : traits.scales) fits(contains(lmo_scales(), scale), ("no scale is called " + scale).c_str());
  fits(contains(traits.scales, "none"), "scale none, the default, must be among its scales");
  fits(traits.rms || !contains(traits.scales, "rms"), "scale rms needs the function rms");
  fits(traits.cost && traits.stacks && traits.squares, "cost, stacks and squares are needed");
}

double entrywise_cost(NormBlock const& b) { return 4.0 * b.rows * b.cols; }
bool always(LmoSettings const&) { return true; }
bool never(LmoSettings const&) { return false; }

std::vector<std::string> lmo_norms() {
  std::vector<std::string> names;
  for (auto const& entry : norm_table<float, Kokkos::DefaultHostExecutionSpace>()) names.push_back(entry.traits.name);
  return names;
}

#define KAON_KERNEL(T, Exec) template std::vector<NormEntry<T, Exec>>& norm_table<T, Exec>();
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
