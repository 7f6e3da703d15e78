#include <kaon/optimizer/tools.hpp>

#include <sstream>

namespace kaon {

namespace {
std::string shape_of(Layer const& l) { return std::to_string(l.rows) + "x" + std::to_string(l.cols); }

std::string key_of(LmoSettings const& s, Layer const& l) {
  std::ostringstream key;
  key.precision(17);
  key << s.norm << '/' << s.scale << '/' << s.factor << '/' << s.row_blocks << '/' << s.polar.set << '/' << s.polar.steps << '/'
      << s.polar.exact << '/' << shape_of(l);
  return key.str();
}
}  // namespace

template <class T>
Tools<T>::Tools(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings, std::vector<bool> const& owned) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    up_.push_back(compressor(settings[i].uplink, layers[i]));
    down_.push_back(compressor(settings[i].downlink, layers[i]));
    dense_.push_back(compressor("identity", layers[i]));
    lmo_.push_back(nullptr);
    if (!owned[i]) continue;
    auto& lmo = lmos_[key_of(settings[i].lmo, layers[i])];
    if (!lmo) lmo = make_lmo<T, Space>(settings[i].lmo, layers[i].rows, layers[i].cols);
    lmo_.back() = lmo.get();
  }
}

template <class T>
typename Tools<T>::Codec* Tools<T>::compressor(std::string const& spec, Layer const& layer) {
  auto& c = compressors_[spec + "/" + shape_of(layer)];
  if (!c) c = make_compressor<T, Space>(spec, layer.rows, layer.cols);
  return c.get();
}

template class Tools<float>;
template class Tools<double>;

}  // namespace kaon
