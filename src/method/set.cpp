#include <kaon/method/set.hpp>

#include <kaon/exchange/packet.hpp>

#include <algorithm>

namespace kaon {

template <class T>
MethodSet<T>::MethodSet(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                        OptimizerSettings const& optimizer)
    : of_(layers.size()), clips_(optimizer.clip > 0) {
  for (auto const& s : settings)
    if (std::find(names_.begin(), names_.end(), s.method) == names_.end()) names_.push_back(s.method);
  for (auto const& name : names_) {
    MethodLayers mine{layers, settings, {}, optimizer};
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (settings[i].method == name) mine.mine.push_back(static_cast<int>(i));
    auto const which = mine.mine;
    all_.push_back(make_method<T>(name, std::move(mine)));
    for (int const i : which) of_[static_cast<std::size_t>(i)] = all_.back().get();
  }
}

template <class T>
std::vector<LayerFlows> MethodSet<T>::flows() const {
  std::vector<LayerFlows> flows;
  for (int i = 0; i < static_cast<int>(of_.size()); ++i) flows.push_back(flow(i));
  return flows;
}

template <class T>
LayerFlows MethodSet<T>::flow(int layer) const {
  auto f = of(layer).flows(layer);
  if (!clips_ || f.up == Up::each) return f;
  f.up = Up::each;
  f.up_encoding = f.dense_encoding;
  f.up_bound = f.sum_bytes;
  return f;
}

template <class T>
std::vector<LayerLoad> MethodSet<T>::loads() const {
  std::vector<LayerLoad> loads;
  for (int i = 0; i < static_cast<int>(of_.size()); ++i) {
    auto const f = flow(i);
    auto const up = f.up == Up::each ? f.up_bound : f.sum_bytes;
    auto const method = std::find_if(all_.begin(), all_.end(), [&](auto const& m) { return m.get() == &of(i); }) - all_.begin();
    auto const kind = 4 * static_cast<int>(method) + (f.up == Up::each ? 0 : 2) + (f.second.there() ? 1 : 0);
    loads.push_back(
        {of(i).cost(i), packet_header_bytes + std::max({up, f.down_bound, f.second.up_bound, f.second.down_bound}), kind});
  }
  return loads;
}

template class MethodSet<float>;
template class MethodSet<double>;

}  // namespace kaon
