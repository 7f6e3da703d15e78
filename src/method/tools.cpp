#include <kaon/method/tools.hpp>

#include <kaon/core/error.hpp>

#include <numeric>

namespace kaon {

namespace {

std::string shape_of(Layer const& l) { return std::to_string(l.rows) + "x" + std::to_string(l.cols); }

template <class Make>
auto for_layer(Layer const& layer, Make&& make) {
  try {
    return make();
  } catch (UsageError const& e) {
    throw UsageError("layer " + layer.name + ": " + e.what());
  }
}

std::vector<int> all_of(std::vector<Layer> const& layers) {
  std::vector<int> all(layers.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

template <class T>
Tools<T>::Tools(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings, std::vector<int> const& mine)
    : up_(layers.size()), down_(layers.size()), dense_(layers.size()) {
  for (int const layer : mine) {
    auto const i = static_cast<std::size_t>(layer);
    up_[i] = for_layer(layers[i], [&] { return compressor(settings[i].uplink, layers[i]); });
    down_[i] = for_layer(layers[i], [&] { return compressor(settings[i].downlink, layers[i]); });
    dense_[i] = compressor("identity", layers[i]);
  }
}

template <class T>
void Tools<T>::make_oracles(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                            std::vector<bool> const& served) {
  for (std::size_t i = 0; i < layers.size(); ++i)
    lmo_.push_back(served[i] ? for_layer(layers[i], [&] { return oracle(settings[i].lmo, layers[i]); }) : nullptr);
}

template <class T>
Tools<T>::Tools(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings, std::vector<bool> const& served)
    : Tools(layers, settings, all_of(layers)) {
  make_oracles(layers, settings, served);
}

template <class T>
typename Tools<T>::Codec* Tools<T>::compressor(std::string const& spec, Layer const& layer) {
  auto& c = compressors_[spec + "/" + shape_of(layer)];
  if (!c) c = make_compressor<T, Space>(spec, layer.rows, layer.cols);
  return c.get();
}

template <class T>
Lmo<T, Space>* Tools<T>::oracle(LmoSettings const& settings, Layer const& layer) {
  for (auto const& shared : lmos_)
    if (shared.settings == settings && shared.rows == layer.rows && shared.cols == layer.cols) return shared.lmo.get();
  lmos_.push_back({settings, layer.rows, layer.cols, make_lmo<T, Space>(settings, layer.rows, layer.cols)});
  return lmos_.back().lmo.get();
}

template class Tools<float>;
template class Tools<double>;

}  // namespace kaon
