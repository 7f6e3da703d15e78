#include <kaon/optimizer/layer_costs.hpp>

#include <kaon/exchange/packet.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/optimizer/staging.hpp>
#include <kaon/optimizer/tools.hpp>
#include <kaon/random/stream.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

namespace kaon {

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class T>
struct Normal {
  T* to;
  StreamKey key;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    to[i] = static_cast<T>(random_normal(key, static_cast<std::uint64_t>(i)));
  }
};

template <class Body>
double shortest(Space const& exec, int repetitions, Body&& body) {
  double best = 0;
  for (int k = 0; k <= repetitions; ++k) {
    double const begin = now();
    body();
    exec.fence();
    double const took = now() - begin;
    if (k == 1 || (k > 1 && took < best)) best = took;
  }
  return best;
}

// Seconds of encoding, of decoding, and the packet's bytes.
struct Coding {
  double encode = 0, decode = 0;
  std::size_t bytes = 0;
};

template <class T>
Coding time_coding(Space const& exec, Compressor<T, Space>& codec, Staging<T>& staging, Matrix<T, Space> const& x,
                   Matrix<T, Space> const& y, int repetitions) {
  StreamKey const key{1, Purpose::compress_up, 0, 0, 0};
  auto const [r, c] = codec.state_shape();
  Matrix<T, Space> const memory("kaon::optimizer::timed_state", static_cast<std::size_t>(r), static_cast<std::size_t>(c));
  if (memory.size() > 0) codec.initialize_state(exec, memory, key);
  Kokkos::View<unsigned char*, Kokkos::LayoutRight, StagingSpace> const out("kaon::optimizer::timed_packet", codec.bytes_bound());
  Coding t;
  t.encode = shortest(exec, repetitions, [&] {
    t.bytes = staging.encode(exec, codec, x, memory, key, {out.data(), out.extent(0)});
  });
  t.decode = shortest(exec, repetitions, [&] { staging.apply(exec, codec, y, {out.data(), t.bytes}); });
  t.bytes += packet_header_bytes;
  return t;
}

}  // namespace

template <class T>
std::vector<LayerCost> measure_layers(Space const& exec, std::vector<Layer> const& layers,
                                      std::vector<LayerSettings> const& settings, int repetitions) {
  Tools<T> tools(layers, settings, std::vector<bool>(layers.size(), true));
  std::size_t bound = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    bound = std::max({bound, tools.uplink(static_cast<int>(i)).bytes_bound(), tools.downlink(static_cast<int>(i)).bytes_bound()});
  Staging<T> staging(layers, bound);
  std::map<Compressor<T, Space>*, Coding> codings;  // layers of one shape share their tools
  std::map<Lmo<T, Space>*, double> oracles;
  Scalar<double, Space> const one("kaon::optimizer::timed_one");
  Kokkos::deep_copy(one, 1.0);
  std::vector<LayerCost> costs;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    int const i = static_cast<int>(k);
    auto const rows = static_cast<std::size_t>(layers[k].rows), cols = static_cast<std::size_t>(layers[k].cols);
    Matrix<T, Space> const x("kaon::optimizer::timed_x", rows, cols), y("kaon::optimizer::timed_y", rows, cols),
        z("kaon::optimizer::timed_z", rows, cols);
    Kokkos::parallel_for("kaon::optimizer::timed_fill", Kokkos::RangePolicy<Space>(exec, 0, static_cast<std::int64_t>(x.size())),
                         Normal<T>{x.data(), {1, Purpose::gradient_noise, 0, static_cast<std::uint32_t>(k), 0}});
    auto const coding = [&](Compressor<T, Space>& codec) {
      auto const found = codings.find(&codec);
      if (found != codings.end()) return found->second;
      return codings[&codec] = time_coding<T>(exec, codec, staging, x, y, repetitions);
    };
    auto const up = coding(tools.uplink(i)), down = coding(tools.downlink(i));
    auto& lmo = tools.lmo(i);
    if (!oracles.count(&lmo))
      oracles[&lmo] = shortest(exec, repetitions, [&] {
        lmo.apply(exec, z, x);
        move_along<T>(exec, y, z, 0.01, one, 0.0);
      });
    LayerCost c;
    c.weight = static_cast<double>(rows * cols);
    c.compress_up = up.encode + up.decode;
    c.aggregate = up.decode;
    c.lmo = oracles[&lmo];
    c.compress_down = down.encode + down.decode;
    c.follow = down.decode;
    c.up_bytes = up.bytes;
    c.down_bytes = down.bytes;
    costs.push_back(c);
  }
  return costs;
}

std::vector<LayerLoad> loads_of(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                                std::vector<LayerCost> const& costs) {
  std::vector<LayerLoad> loads;
  for (std::size_t i = 0; i < layers.size(); ++i)
    loads.push_back(
        {lmo_cost(settings[i].lmo, layers[i].rows, layers[i].cols), std::max(costs[i].up_bytes, costs[i].down_bytes)});
  return loads;
}

template std::vector<LayerCost> measure_layers<float>(Space const&, std::vector<Layer> const&, std::vector<LayerSettings> const&,
                                                      int);
template std::vector<LayerCost> measure_layers<double>(Space const&, std::vector<Layer> const&, std::vector<LayerSettings> const&,
                                                       int);

}  // namespace kaon
