#include <kaon/method/ef21_muon/state.hpp>

#include <kaon/core/error.hpp>
#include <kaon/state/fields.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {

namespace {

template <class T>
std::vector<T> host_copy(Matrix<T, Space> const& m) {
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, m);
  return {host.data(), host.data() + host.size()};
}

template <class T>
double norm(std::vector<T> const& v) {
  double s = 0;
  for (T x : v) s += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(s);
}

template <class T>
bool finite(Matrix<T, Space> const& m) {
  auto const v = host_copy<T>(m);
  return std::all_of(v.begin(), v.end(), [](T x) { return std::isfinite(x); });
}

}  // namespace

template <class T>
Ef21State<T>::Ef21State(MethodLayers const& of, MethodTraits const& traits, Ef21Keeps const& keeps, Tools<T>& tools,
                        Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W)
    : of_(of), root_(traits.name), keeps_(keeps), tools_(tools), plan_(plan), rank_(rank), W_(W) {
  auto const layers = of.layers.size();
  served_.resize(layers), owned_.resize(layers), here_.resize(layers);
  feedback_.resize(layers), decay_.resize(layers);
  for (auto* cubes : {&M_, &G_, &error_, &up_memory_}) cubes->resize(layers);
  for (auto* all : {&server_X_, &server_G_, &down_memory_}) all->resize(layers);
  for (int const layer : of.mine) {
    auto const i = static_cast<std::size_t>(layer);
    here_[i] = plan.homes_at(rank, layer);
    auto const n = static_cast<std::size_t>(here_[i].count);
    auto const rows = static_cast<std::size_t>(of.layers[i].rows), cols = static_cast<std::size_t>(of.layers[i].cols);
    if (keeps.momentum) M_[i] = Cube("kaon::method::M", n, rows, cols);
    auto const feedback = own_choice(traits, of.layers[i], of.settings[i], "feedback");
    feedback_[i] = feedback == "ef21" ? Feedback::ef21 : feedback == "ef14" ? Feedback::ef14 : Feedback::none;
    if (tools.uplink(layer).replaces()) feedback_[i] = Feedback::none;
    decay_[i] = own_number(traits, of.layers[i], of.settings[i], "feedback_decay");
    if (feedback_[i] == Feedback::ef21) G_[i] = Cube("kaon::method::G_worker", n, rows, cols);
    if (feedback_[i] == Feedback::ef14) error_[i] = Cube("kaon::method::error", n, rows, cols);
    auto const [r, c] = tools.uplink(layer).state_shape();
    up_memory_[i] = Cube("kaon::method::uplink_state", n, static_cast<std::size_t>(r), static_cast<std::size_t>(c));
    owned_[i] = plan.owner_of(layer) == rank;
    served_[i] = plan.serves(rank, layer);
    if (!served_[i]) continue;
    server_X_[i] = keeps_X(layer) ? Matrix<T, Space>("kaon::method::X", rows, cols) : W[i];
    if (keeps_G(layer)) server_G_[i] = Matrix<T, Space>("kaon::method::G", rows, cols);
    auto const [dr, dc] = tools.downlink(layer).state_shape();
    down_memory_[i] =
        Matrix<T, Space>("kaon::method::downlink_state", static_cast<std::size_t>(dr), static_cast<std::size_t>(dc));
  }
}

template <class T>
void Ef21State<T>::initialize(Space const& exec) {
  auto const key = [&](Purpose purpose, int layer, int worker) {
    return StreamKey{of_.optimizer.seed, purpose, 0xffffffffu, static_cast<std::uint32_t>(layer),
                     static_cast<std::uint32_t>(worker)};
  };
  for (int const layer : of_.mine) {
    auto const i = static_cast<std::size_t>(layer);
    if (served_[i]) {
      if (keeps_X(layer)) Kokkos::deep_copy(exec, server_X_[i], W_[i]);
      Kokkos::deep_copy(exec, server_G_[i], T(0));
      if (down_memory_[i].size() > 0)
        tools_.downlink(layer).initialize_state(exec, down_memory_[i], key(Purpose::compress_down, layer, 0));
    }
    Kokkos::deep_copy(exec, M_[i], T(0));
    Kokkos::deep_copy(exec, G_[i], T(0));
    Kokkos::deep_copy(exec, error_[i], T(0));
    if (up_memory_[i].extent(1) == 0) continue;
    for (int j = here_[i].first; j < here_[i].end(); ++j)
      tools_.uplink(layer).initialize_state(exec, uplink_memory(layer, j), key(Purpose::compress_up, layer, j));
  }
}

template <class T>
void Ef21State<T>::register_state(Registry& registry) const {
  auto const first = registry.size();
  auto const add = [&](std::string const& was, Resize rule, std::vector<std::uint64_t> const& shape, Part const& written,
                       Part const& needed, auto const& view) {
    Field field = view_field("/" + root_ + was, shape, written, needed, view);
    field.was = was;
    field.resize = rule;
    registry.push_back(std::move(field));
  };
  for (int const layer : of_.mine) {
    auto const i = static_cast<std::size_t>(layer);
    auto const& name = of_.layers[i].name;
    std::vector<std::uint64_t> const shape{static_cast<std::uint64_t>(of_.layers[i].rows),
                                           static_cast<std::uint64_t>(of_.layers[i].cols)};
    auto const at_server = [&](std::string const& where, Resize rule, std::vector<std::uint64_t> const& s,
                               Matrix<T, Space> const& m) {
      add(where + name, rule, s, owned_[i] ? whole(s) : nothing(s), served_[i] ? whole(s) : nothing(s), m);
    };
    if (keeps_X(layer)) at_server("/server/X/", Resize::kept, shape, server_X_[i]);
    if (feedback_[i] == Feedback::ef21) {
      at_server("/server/G/", Resize::mean_of, shape, server_G_[i]);
      registry.back().of = "/" + root_ + "/workers/G/" + name;
    } else if (keeps_.values) {
      at_server("/server/G/", Resize::kept, shape, server_G_[i]);
    }
    auto const [r, c] = tools_.downlink(layer).state_shape();
    if (r * c > 0)
      at_server("/compressor/down/", Resize::kept, {static_cast<std::uint64_t>(r), static_cast<std::uint64_t>(c)},
                down_memory_[i]);
  }
  for (int const layer : of_.mine) {
    auto const i = static_cast<std::size_t>(layer);
    auto const at_workers = [&](std::string const& where, Resize rule, Cube const& cube) {
      std::vector<std::uint64_t> const shape{static_cast<std::uint64_t>(of_.optimizer.workers), cube.extent(1), cube.extent(2)};
      auto const mine = slabs(shape, static_cast<std::uint64_t>(here_[i].first), static_cast<std::uint64_t>(here_[i].count));
      add(where + of_.layers[i].name, rule, shape, mine, mine, cube);
    };
    if (feedback_[i] == Feedback::ef21) at_workers("/workers/G/", Resize::weighted, G_[i]);
    if (feedback_[i] == Feedback::ef14) at_workers("/workers/error/", Resize::weighted, error_[i]);
    if (keeps_.momentum) at_workers("/workers/M/", Resize::weighted, M_[i]);
    if (up_memory_[i].extent(1) > 0) at_workers("/compressor/up/", Resize::copied, up_memory_[i]);
  }
  if (keeps_.momentum && !keeps_.values) accept_older(registry, first);
}

// Files of before have X, G_j and G of layers that do without now. They are taken where these say what W and M_j say.
template <class T>
void Ef21State<T>::accept_older(Registry& registry, std::size_t first) const {
  auto const at = [&](std::size_t from, std::string const& path) -> Field* {
    auto const f = std::find_if(registry.begin() + static_cast<std::ptrdiff_t>(from), registry.end(),
                                [&](Field const& field) { return field.path == path; });
    return f == registry.end() ? nullptr : &*f;
  };
  for (int const layer : of_.mine) {
    auto const& name = of_.layers[static_cast<std::size_t>(layer)].name;
    auto const path = [&](char const* folder) { return "/" + root_ + folder + name; };
    if (auto* const W = at(0, "/model/W/" + name); W && !keeps_X(layer))
      W->companions.push_back(
          {.path = path("/server/X/"), .was = "/server/X/" + name, .why = "a layer whose downlink is the identity has W for X"});
    auto* const M = at(first, path("/workers/M/"));
    if (!M || keeps_G(layer)) continue;
    bool const ahead = of_.optimizer.nesterov && of_.settings[static_cast<std::size_t>(layer)].beta != 1;
    Companion G_j{
        .path = path("/workers/G/"), .was = "/workers/G/" + name, .why = "a layer whose uplink is the identity has M_j for G_j"};
    if (ahead) G_j.says = Companion::Says::nothing;  // the look-ahead of a step that is over
    Companion G{.path = path("/server/G/"),
                .was = "/server/G/" + name,
                .why = "a layer whose uplink is the identity has the mean of G_j for G",
                .says = Companion::Says::mean};
    G.of = G_j.path, G.of_was = G_j.was;
    M->companions.push_back(std::move(G_j));
    M->companions.push_back(std::move(G));
  }
}

template <class T>
bool Ef21State<T>::keeps_estimates() const {
  return std::any_of(of_.mine.begin(), of_.mine.end(), [&](int i) { return feedback(i) == Feedback::ef21; });
}

template <class T>
std::string Ef21State<T>::not_finite() const {
  for (int const layer : of_.mine) {
    auto const i = static_cast<std::size_t>(layer);
    auto const say = [&](char const* what) { return "layer " + of_.layers[i].name + ": " + what + " has a NaN or an infinity"; };
    if (served_[i] && !finite<T>(server_X_[i])) return say("X");
    for (int j = here_[i].first; keeps_.momentum && j < here_[i].end(); ++j)
      if (!finite<T>(M(layer, j))) return say("M_j");
  }
  return {};
}

template <class T>
double Ef21State<T>::check(Communicator const& comm, double tolerance) const {
  std::string trouble = not_finite();
  Communicator const apart(comm.get());  // its messages meet none of the exchange's
  constexpr int tag = 0;
  double worst = 0;
  for (int const i : of_.mine) {
    if (feedback(i) != Feedback::ef21) continue;
    int const owner = plan_.owner_of(i);
    auto const& layer = of_.layers[static_cast<std::size_t>(i)];
    std::size_t const size = static_cast<std::size_t>(layer.rows) * static_cast<std::size_t>(layer.cols),
                      bytes = size * sizeof(T);
    std::vector<T> mean(size, T(0));
    double scale = 0;
    for (int j = 0; j < plan_.workers(); ++j) {
      int const home = plan_.home_of(i, j);
      std::vector<T> g;
      if (home == rank_) g = host_copy<T>(G(i, j));
      if (home != owner && home == rank_) apart.send(g.data(), bytes, owner, tag);
      if (home != owner && owner == rank_) {
        g.resize(size);
        apart.receive(g.data(), bytes, home, tag);
      }
      if (owner != rank_) continue;
      scale = std::max(scale, norm(g));
      for (std::size_t e = 0; e < size; ++e) mean[e] += g[e];
    }
    if (owner != rank_) continue;
    auto difference = host_copy<T>(G(i));
    for (std::size_t e = 0; e < size; ++e) difference[e] -= mean[e] * (T(1) / static_cast<T>(plan_.workers()));
    double const off = scale > 0 ? norm(difference) / scale : norm(difference);
    if (!(off <= tolerance))
      trouble = "layer " + layer.name + ": G differs from the mean of G_j by " + std::to_string(off) + " of the largest ‖G_j‖";
    worst = std::max(worst, off);
  }
  for (auto const& t : comm.gather(trouble))
    if (!t.empty()) throw InputError("the state is not consistent: " + t);
  return comm.max(worst);
}

template class Ef21State<float>;
template class Ef21State<double>;

}  // namespace kaon
