#include <kaon/method/ef21_muon/server.hpp>

#include <kaon/core/error.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/state/fields.hpp>

namespace kaon {

namespace {

// What a payload cannot be, the decoder tells; whose it is, only the caller knows.
template <class Decode>
void decode(std::uint64_t step, std::string const& layer, int worker, Decode&& body) {
  try {
    body();
  } catch (InputError const& e) {
    throw InputError("step " + std::to_string(step) + ", layer " + layer + ", " +
                     (worker < 0 ? std::string("downlink") : "worker " + std::to_string(worker)) + ": " + e.what());
  }
}

}  // namespace

template <class T>
Server<T>::Server(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                  OptimizerSettings const& optimizer, Tools<T>& tools, Plan const& plan, int rank)
    : layers_(layers),
      settings_(settings),
      optimizer_(optimizer),
      tools_(tools),
      one_("kaon::method::one"),
      dual_("kaon::method::dual_norm") {
  Kokkos::deep_copy(one_, 1.0);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto const rows = static_cast<std::size_t>(layers[i].rows), cols = static_cast<std::size_t>(layers[i].cols);
    owned_.push_back(plan.owner_of(static_cast<int>(i)) == rank);
    served_.push_back(plan.serves(rank, static_cast<int>(i)));
    W_.emplace_back("kaon::method::W", rows, cols);
    X_.emplace_back("kaon::method::X", served_[i] ? rows : 0, served_[i] ? cols : 0);
    G_.emplace_back("kaon::method::G", served_[i] ? rows : 0, served_[i] ? cols : 0);
    auto const [r, c] = served_[i] ? tools.downlink(static_cast<int>(i)).state_shape() : std::pair<int, int>(0, 0);
    memory_.emplace_back("kaon::method::downlink_state", static_cast<std::size_t>(r), static_cast<std::size_t>(c));
  }
}

template <class T>
void Server<T>::initialize(Space const& exec) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (!served_[i]) continue;
    Kokkos::deep_copy(exec, X_[i], W_[i]);
    Kokkos::deep_copy(exec, G_[i], T(0));
    StreamKey const key{optimizer_.seed, Purpose::compress_down, 0xffffffffu, static_cast<std::uint32_t>(i), 0};
    if (memory_[i].size() > 0) tools_.downlink(static_cast<int>(i)).initialize_state(exec, memory_[i], key);
  }
}

// G ← G + (1/n) Σ_j R_j, or G ← (1/n) Σ_j M_j where the packets carry the values themselves. Always in worker order.
template <class T>
void Server<T>::gather(Space const& exec, int layer, bool dense, Staging<T>& staging, Exchange& exchange) {
  auto const i = static_cast<std::size_t>(layer);
  auto& codec = dense ? tools_.dense(layer) : tools_.uplink(layer);
  T const share = T(1) / static_cast<T>(optimizer_.workers);
  auto const sum = staging.scratch(0, layers_[i]);
  if (codec.replaces()) {
    auto const one = staging.scratch(1, layers_[i]);
    for (int j = 0; j < optimizer_.workers; ++j) {
      decode(exchange.step(), layers_[i].name, j,
             [&] { staging.apply(exec, codec, j == 0 ? sum : one, exchange.take_up(layer, j)); });
      if (j > 0) axpy<T>(exec, sum, T(1), one);
    }
    if (optimizer_.workers > 1) scale<T>(exec, sum, share);
    copy<T>(exec, G_[i], sum);
  } else {
    fill<T>(exec, sum, T(0));
    for (int j = 0; j < optimizer_.workers; ++j)
      decode(exchange.step(), layers_[i].name, j, [&] { staging.apply(exec, codec, sum, exchange.take_up(layer, j)); });
    axpy<T>(exec, G_[i], share, sum);
  }
}

template <class T>
void Server<T>::round(Space const& exec, int layer, std::uint64_t step, bool dense, double multiplier, Staging<T>& staging,
                      Exchange& exchange, Measure* measure, PhaseTimer& timer) {
  InPhase const phase(timer, Phase::aggregate);
  auto const i = static_cast<std::size_t>(layer);
  if (!owned_[i]) measure = nullptr;
  gather(exec, layer, dense, staging, exchange);

  timer.change(Phase::lmo);
  auto& lmo = tools_.lmo(layer);
  auto const z = staging.scratch(0, layers_[i]);
  lmo.apply(exec, z, G_[i]);
  if (optimizer_.adaptive) lmo.dual_norm(exec, dual_, G_[i], z);
  constexpr auto entries = static_cast<std::size_t>(Motion::count);
  Vector<double, Space> const motion(motion_.data() + i * entries, entries);
  move_along<T>(exec, X_[i], z, settings_[i].radius * multiplier, optimizer_.adaptive ? dual_ : one_, settings_[i].decay, motion,
                static_cast<double>(step + 1));

  timer.change(Phase::compress);
  auto& codec = tools_.downlink(layer);
  auto const shift = staging.scratch(1, layers_[i]);
  if (measure || !codec.replaces()) difference<T>(exec, shift, X_[i], W_[i]);
  if (measure) measure->down<T>(exec, layer, Measure::Down::shift, shift);
  StreamKey const key{optimizer_.seed, Purpose::compress_down, static_cast<std::uint32_t>(step),
                      static_cast<std::uint32_t>(layer), 0};
  std::size_t const length =
      staging.encode(exec, codec, codec.replaces() ? X_[i] : shift, memory_[i], key, exchange.down_payload(layer));
  timer.change(Phase::send);
  exchange.post_down(layer, length);
  timer.change(Phase::compress);
  staging.apply_encoded(exec, codec, W_[i]);
  if (measure) {
    difference<T>(exec, shift, X_[i], W_[i]);
    measure->down<T>(exec, layer, Measure::Down::rest, shift);
    measure->down<T>(exec, layer, Measure::Down::model, W_[i]);
    measure->down<T>(exec, layer, Measure::Down::estimate, G_[i]);
  }
}

template <class T>
void Server<T>::follow(Space const& exec, int layer, Staging<T>& staging, Exchange& exchange) {
  auto const i = static_cast<std::size_t>(layer);
  auto const in = exchange.take_down(layer);
  decode(exchange.down_step(layer), layers_[i].name, -1, [&] { staging.apply(exec, tools_.downlink(layer), W_[i], in); });
}

template <class T>
void Server<T>::register_state(Registry& registry) const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::vector<std::uint64_t> const shape{static_cast<std::uint64_t>(layers_[i].rows),
                                           static_cast<std::uint64_t>(layers_[i].cols)};
    auto const mine = owned_[i] ? whole(shape) : nothing(shape);
    auto const needed = served_[i] ? whole(shape) : nothing(shape);
    registry.push_back(view_field("/server/X/" + layers_[i].name, shape, mine, needed, X_[i]));
    registry.push_back(view_field("/server/W/" + layers_[i].name, shape, mine, whole(shape), W_[i]));
    registry.push_back(view_field("/server/G/" + layers_[i].name, shape, mine, needed, G_[i]));
    auto const [r, c] = tools_.downlink(static_cast<int>(i)).state_shape();
    if (r * c == 0) continue;
    std::vector<std::uint64_t> const state{static_cast<std::uint64_t>(r), static_cast<std::uint64_t>(c)};
    registry.push_back(view_field("/compressor/down/" + layers_[i].name, state, owned_[i] ? whole(state) : nothing(state),
                                  served_[i] ? whole(state) : nothing(state), memory_[i]));
  }
}

template class Server<float>;
template class Server<double>;

}  // namespace kaon
