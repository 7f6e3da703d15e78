#include <kaon/method/ef21_muon/worker.hpp>

#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/state/fields.hpp>

namespace kaon {

template <class T>
Workers<T>::Workers(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                    OptimizerSettings const& optimizer, Tools<T>& tools, Plan const& plan, int rank)
    : layers_(layers), settings_(settings), optimizer_(optimizer), tools_(tools) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    here_.push_back(plan.homes_at(rank, static_cast<int>(i)));
    auto const n = static_cast<std::size_t>(here_[i].count);
    auto const rows = static_cast<std::size_t>(layers[i].rows), cols = static_cast<std::size_t>(layers[i].cols);
    M_.emplace_back("kaon::method::M", n, rows, cols);
    G_.emplace_back("kaon::method::G_worker", n, rows, cols);
    auto const [r, c] = tools.uplink(static_cast<int>(i)).state_shape();
    memory_.emplace_back("kaon::method::uplink_state", n, static_cast<std::size_t>(r), static_cast<std::size_t>(c));
  }
}

template <class T>
void Workers<T>::initialize(Space const& exec) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Kokkos::deep_copy(exec, M_[i], T(0));
    Kokkos::deep_copy(exec, G_[i], T(0));
    if (memory_[i].extent(1) == 0) continue;
    for (int j = here_[i].first; j < here_[i].end(); ++j) {
      StreamKey const key{optimizer_.seed, Purpose::compress_up, 0xffffffffu, static_cast<std::uint32_t>(i),
                          static_cast<std::uint32_t>(j)};
      tools_.uplink(static_cast<int>(i)).initialize_state(exec, slice(memory_, static_cast<int>(i), j), key);
    }
  }
}

template <class T>
void Workers<T>::round(Space const& exec, int layer, int worker, std::uint64_t step, bool dense,
                       ConstMatrix<T, Space> const& gradient, Staging<T>& staging, Exchange& exchange, Measure* measure,
                       PhaseTimer& timer) {
  InPhase const phase(timer, Phase::compress);
  auto const i = static_cast<std::size_t>(layer);
  T const beta = dense ? T(1) : static_cast<T>(settings_[i].beta);
  auto const m = M(layer, worker), g = G(layer, worker);
  if (beta == T(1))
    copy<T>(exec, m, gradient);
  else
    lerp<T>(exec, m, beta, gradient);

  Matrix<T, Space> target = m;
  if (optimizer_.nesterov && beta != T(1)) {
    target = staging.scratch(0, layers_[i]);
    blend<T>(exec, target, m, gradient, beta);
  }

  auto& codec = dense ? tools_.dense(layer) : tools_.uplink(layer);
  auto const memory = slice(memory_, layer, worker);
  StreamKey const key{optimizer_.seed, Purpose::compress_up, static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(layer),
                      static_cast<std::uint32_t>(worker)};
  auto const out = exchange.up_payload(layer, worker);
  auto const shift = staging.scratch(1, layers_[i]);
  if (measure || !codec.replaces()) difference<T>(exec, shift, target, g);
  if (measure) measure->up<T>(exec, layer, worker, Measure::Up::shift, shift);
  std::size_t const length = staging.encode(exec, codec, codec.replaces() ? target : shift, memory, key, out);
  staging.apply_encoded(exec, codec, g);
  if (measure) {
    difference<T>(exec, shift, target, g);
    measure->up<T>(exec, layer, worker, Measure::Up::rest, shift);
    measure->up<T>(exec, layer, worker, Measure::Up::momentum, target);
  }
  timer.change(Phase::send);
  exchange.post_up(layer, worker, length);
}

template <class T>
void Workers<T>::register_state(Registry& registry) const {
  auto const add = [&](std::string const& where, std::size_t i, Cube const& cube) {
    std::vector<std::uint64_t> const shape{static_cast<std::uint64_t>(optimizer_.workers), cube.extent(1), cube.extent(2)};
    auto const mine = slabs(shape, static_cast<std::uint64_t>(here_[i].first), static_cast<std::uint64_t>(here_[i].count));
    registry.push_back(view_field(where + layers_[i].name, shape, mine, mine, cube));
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    add("/workers/G/", i, G_[i]);
    add("/workers/M/", i, M_[i]);
    if (memory_[i].extent(1) > 0) add("/compressor/up/", i, memory_[i]);
  }
}

template class Workers<float>;
template class Workers<double>;

}  // namespace kaon
