#include <kaon/method/owned.hpp>

#include <kaon/core/error.hpp>
#include <kaon/state/fields.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {

std::vector<bool> owned_of(std::vector<int> const& mine, Plan const& plan, int rank) {
  std::vector<bool> owned(static_cast<std::size_t>(plan.layers()));
  for (int const i : mine) owned[static_cast<std::size_t>(i)] = plan.owner_of(i) == rank;
  return owned;
}

template <class T>
std::vector<Matrix<T, Space>> owned_matrices(char const* label, std::vector<Layer> const& layers,
                                             std::vector<bool> const& where) {
  std::vector<Matrix<T, Space>> all(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (where[i])
      all[i] = Matrix<T, Space>(std::string(label), static_cast<std::size_t>(layers[i].rows),
                                static_cast<std::size_t>(layers[i].cols));
  return all;
}

template <class T>
void register_owned(Registry& registry, std::string const& path, std::vector<Layer> const& layers, int layer,
                    std::vector<bool> const& owned, std::vector<bool> const& served, std::vector<Matrix<T, Space>> const& all) {
  auto const i = static_cast<std::size_t>(layer);
  std::vector<std::uint64_t> const shape{static_cast<std::uint64_t>(layers[i].rows), static_cast<std::uint64_t>(layers[i].cols)};
  registry.push_back(view_field(path + layers[i].name, shape, owned[i] ? whole(shape) : nothing(shape),
                                served[i] ? whole(shape) : nothing(shape), all[i]));
  registry.back().resize = Resize::kept;
}

template <class T>
void refuse_not_finite(Communicator const& comm, std::vector<Layer> const& layers, std::vector<Matrix<T, Space>> const& all,
                       char const* what) {
  std::string trouble;
  for (std::size_t i = 0; i < all.size() && trouble.empty(); ++i) {
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, all[i]);
    if (!std::all_of(host.data(), host.data() + host.size(), [](T x) { return std::isfinite(x); }))
      trouble = "layer " + layers[i].name + ": " + what + " has a NaN or an infinity";
  }
  for (auto const& t : comm.gather(trouble))
    if (!t.empty()) throw InputError("the state is not consistent: " + t);
}

#define KAON_OWNED(T)                                                                                                         \
  template std::vector<Matrix<T, Space>> owned_matrices<T>(char const*, std::vector<Layer> const&, std::vector<bool> const&); \
  template void register_owned<T>(Registry&, std::string const&, std::vector<Layer> const&, int, std::vector<bool> const&,    \
                                  std::vector<bool> const&, std::vector<Matrix<T, Space>> const&);                            \
  template void refuse_not_finite<T>(Communicator const&, std::vector<Layer> const&, std::vector<Matrix<T, Space>> const&,    \
                                     char const*);
KAON_OWNED(float)
KAON_OWNED(double)
#undef KAON_OWNED

}  // namespace kaon
