#include <kaon/method/dion/state.hpp>

#include <kaon/core/error.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/linalg/unit_columns.hpp>
#include <kaon/random/stream.hpp>
#include <kaon/state/fields.hpp>

#include <xxhash.h>

#include <algorithm>
#include <cmath>

namespace kaon {

namespace {

template <class T>
struct Gaussian {
  T* to;
  StreamKey key;
  KOKKOS_FUNCTION void operator()(std::int64_t const i) const {
    to[i] = static_cast<T>(random_normal(key, static_cast<std::uint64_t>(i)));
  }
};

template <class View>
auto on_host(View const& view) {
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, view);
}

template <class View>
bool all_finite(View const& view) {
  auto const host = on_host(view);
  return std::all_of(host.data(), host.data() + host.size(), [](auto x) { return std::isfinite(x); });
}

// The largest | ‖q‖ − 1 | of the columns.
template <class T>
double off_unit(Matrix<T, Space> const& Q) {
  auto const host = on_host(Q);
  double worst = 0;
  for (std::size_t j = 0; j < host.extent(1); ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < host.extent(0); ++i) sum += static_cast<double>(host(i, j)) * static_cast<double>(host(i, j));
    worst = std::max(worst, std::abs(std::sqrt(sum) - 1));
  }
  return worst;
}

}  // namespace

template <class T>
DionState<T>::DionState(MethodLayers const& of, std::vector<dion::Constants> const& constants, Plan const& plan, int rank)
    : of_(of), constants_(constants) {
  auto const layers = of.layers.size();
  served_.resize(layers), owned_.resize(layers), here_.resize(layers), workers_.resize(layers);
  for (auto* all : {&server_, &P_, &Q_}) all->resize(layers);
  std::int64_t widest = 0, partials = 0;
  for (int const layer : of.mine) {
    auto const i = at(layer);
    auto const rows = static_cast<std::size_t>(of.layers[i].rows), cols = static_cast<std::size_t>(of.layers[i].cols);
    auto const r = static_cast<std::size_t>(constants[i].rank);
    served_[i] = plan.serves(rank, layer);
    owned_[i] = plan.owner_of(layer) == rank;
    if (constants[i].dense) {
      if (!served_[i]) continue;
      server_[i] = Matrix<T, Space>("kaon::method::M", rows, cols);
    } else {
      here_[i] = plan.homes_at(rank, layer);
      workers_[i] = Cube("kaon::method::M_worker", static_cast<std::size_t>(here_[i].count), rows, cols);
      P_[i] = Matrix<T, Space>("kaon::method::P", rows, r);
    }
    Q_[i] = Matrix<T, Space>("kaon::method::Q", cols, r);
    widest = std::max(widest, std::int64_t{constants[i].rank});
    partials = std::max(partials, column_workspace(of.layers[i].cols, constants[i].rank));
  }
  scales_ = Vector<double, Space>("kaon::method::column_scales", static_cast<std::size_t>(widest));
  partials_ = Vector<double, Space>("kaon::method::column_partials", static_cast<std::size_t>(partials));
}

template <class T>
void DionState<T>::initialize(Space const& exec) {
  for (int const layer : of_.mine) {
    auto const i = at(layer);
    Kokkos::deep_copy(exec, workers_[i], T(0));
    Kokkos::deep_copy(exec, server_[i], T(0));
    if (Q_[i].size() == 0) continue;
    StreamKey const key{of_.optimizer.seed, Purpose::first_factor, 0, static_cast<std::uint32_t>(layer), 0};
    Kokkos::parallel_for("kaon::method::gaussian", Kokkos::RangePolicy<Space>(exec, 0, static_cast<std::int64_t>(Q_[i].size())),
                         Gaussian<T>{Q_[i].data(), key});
    renew_Q(exec, layer, Q_[i]);
  }
}

template <class T>
void DionState<T>::renew_Q(Space const& exec, int layer, ConstMatrix<T, Space> const& R) const {
  Vector<double, Space> const scales(scales_.data(), R.extent(1));
  unit_columns<T>(exec, Q(layer), scales, partials_, R);
}

template <class T>
void DionState<T>::register_state(Registry& registry) const {
  using Shape = std::vector<std::uint64_t>;
  auto const add = [&](std::string const& path, Resize rule, Shape const& shape, Part const& written, Part const& needed,
                       auto const& view) {
    registry.push_back(view_field(path, shape, written, needed, view));
    registry.back().resize = rule;
  };
  for (int const layer : of_.mine) {
    auto const i = at(layer);
    auto const& name = of_.layers[i].name;
    auto const rows = static_cast<std::uint64_t>(of_.layers[i].rows), cols = static_cast<std::uint64_t>(of_.layers[i].cols);
    auto const matrix = [&](std::string const& where, Shape const& shape, Matrix<T, Space> const& view) {
      add(where + name, Resize::kept, shape, owned_[i] ? whole(shape) : nothing(shape),
          view.size() > 0 ? whole(shape) : nothing(shape), view);
    };
    matrix("/dion/server/Q/", {cols, static_cast<std::uint64_t>(constants_[i].rank)}, Q_[i]);
    if (constants_[i].dense) {
      matrix("/dion/server/M/", {rows, cols}, server_[i]);
    } else {
      Shape const shape{static_cast<std::uint64_t>(of_.optimizer.workers), rows, cols};
      auto const mine = slabs(shape, static_cast<std::uint64_t>(here_[i].first), static_cast<std::uint64_t>(here_[i].count));
      add("/dion/workers/M/" + name, Resize::weighted, shape, mine, mine, workers_[i]);
    }
  }
}

template <class T>
double DionState<T>::check(Communicator const& comm, double tolerance) const {
  std::string trouble;
  double worst = 0;
  std::uint64_t hash = 0;
  for (int const layer : of_.mine) {
    auto const i = at(layer);
    auto const say = [&](std::string const& what) { trouble = "layer " + of_.layers[i].name + ": " + what; };
    if (!all_finite(workers_[i])) say("M_j has a NaN or an infinity");
    if (!all_finite(server_[i])) say("M has a NaN or an infinity");
    if (Q_[i].size() > 0) {
      double const off = off_unit<T>(Q_[i]);
      if (!(off <= tolerance)) say("a column of Q has not the norm 1, by " + std::to_string(off));
      worst = std::max(worst, off);
    }
    if (constants_[i].dense) continue;
    auto const host = on_host(Q_[i]);
    hash = XXH3_64bits_withSeed(host.data(), host.size() * sizeof(T), hash);
  }
  bool const same = comm.same_everywhere(hash);
  for (auto const& t : comm.gather(trouble))
    if (!t.empty()) throw InputError("the state is not consistent: " + t);
  if (!same) throw InputError("the state is not consistent: Q of method dion differs between ranks");
  return comm.max(worst);
}

template class DionState<float>;
template class DionState<double>;

}  // namespace kaon
