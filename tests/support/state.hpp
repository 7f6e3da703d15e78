#ifndef KAON_SUPPORT_STATE_HPP
#define KAON_SUPPORT_STATE_HPP

#include <kaon/method/ef21_muon/ef21_muon.hpp>
#include <kaon/step/engine.hpp>
#include <kaon/support/quadratic.hpp>

#include <map>
#include <string>
#include <vector>

namespace kaon::test {

/// Layers of many shapes: tall, wide, square, a row, a column, one entry.
inline std::vector<Layer> odd_layers() {
  return {{"tall", 24, 10}, {"wide", 9, 31}, {"square", 16, 16}, {"row", 1, 40}, {"column", 33, 1}, {"one", 1, 1}};
}

inline LayerSettings settings(std::string const& norm, std::string const& up, std::string const& down, double radius = 0.05) {
  LayerSettings s;
  s.lmo.norm = norm;
  s.radius = radius;
  s.beta = 0.3;
  s.uplink = up;
  s.downlink = down;
  return s;
}

/// The bytes of what this rank writes of every field, by path.
using Bytestate = std::map<std::string, std::vector<unsigned char>>;
template <class T>
Bytestate bytes_of(Engine<T> const& optimizer) {
  Registry registry;
  optimizer.register_state(registry);
  Bytestate out;
  for (auto const& f : registry) {
    std::vector<unsigned char> bytes(f.written.elements() * size_of(f.type));
    if (!bytes.empty()) f.get(bytes.data());
    out[f.path] = std::move(bytes);
  }
  return out;
}

/// The state of ef21-muon, where the first layer has that method.
template <class T>
Ef21State<T> const& ef21(Engine<T> const& optimizer) {
  return dynamic_cast<Ef21Muon<T> const&>(optimizer.method(0)).state();
}

/// Runs `steps` steps of the quadratic on `comm`; returns the optimizer for inspection.
template <class T>
std::unique_ptr<Engine<T>> run_quadratic(Communicator const& comm, std::vector<Layer> const& layers,
                                         std::vector<LayerSettings> const& layer_settings, OptimizerSettings const& optimizer,
                                         int steps, bool measure = false, std::vector<StepReport>* reports = nullptr,
                                         int micro_batches = 1) {
  Quadratic<T> objective(layers, optimizer.workers, 77, micro_batches);
  auto o = std::make_unique<Engine<T>>(Space(), comm, layers, layer_settings, optimizer, micro_batches);
  o->initialize(objective);
  for (int k = 0; k < steps; ++k) {
    auto r = o->step(objective, static_cast<std::uint64_t>(k), 1.0, measure);
    if (reports) reports->push_back(std::move(r));
  }
  return o;
}

}  // namespace kaon::test

#endif
