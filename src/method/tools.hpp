#ifndef KAON_METHOD_TOOLS_HPP
#define KAON_METHOD_TOOLS_HPP

#include <kaon/compress/compressor.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/lmo/lmo.hpp>
#include <kaon/method/settings.hpp>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace kaon {

/// LMOs and compressors with their workspaces, one for each distinct (settings, shape): layers of one shape share them.
template <class T>
class Tools {
 public:
  using Codec = Compressor<T, Space>;
  /// The compressors alone, of the layers in `mine`. Throws UsageError that names the layer.
  Tools(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings, std::vector<int> const& mine);
  /// Makes the LMOs (the larger workspaces) of the layers in `served`; once. Throws UsageError that names the layer.
  void make_oracles(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                    std::vector<bool> const& served);
  /// Both, of all layers.
  Tools(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings, std::vector<bool> const& served);

  Lmo<T, Space>& lmo(int layer) { return *lmo_[static_cast<std::size_t>(layer)]; }
  Codec& uplink(int layer) { return *up_[static_cast<std::size_t>(layer)]; }
  Codec& downlink(int layer) { return *down_[static_cast<std::size_t>(layer)]; }
  /// The identity for the layer's shape: sends the dense start.
  Codec& dense(int layer) { return *dense_[static_cast<std::size_t>(layer)]; }

 private:
  Codec* compressor(std::string const& spec, Layer const& layer);
  std::unordered_map<std::string, std::unique_ptr<Codec>> compressors_;
  struct Shared {
    LmoSettings settings;
    int rows, cols;
    std::unique_ptr<Lmo<T, Space>> lmo;
  };
  Lmo<T, Space>* oracle(LmoSettings const& settings, Layer const& layer);
  std::vector<Shared> lmos_;
  std::vector<Lmo<T, Space>*> lmo_;
  std::vector<Codec*> up_, down_, dense_;
};

extern template class Tools<float>;
extern template class Tools<double>;

}  // namespace kaon

#endif
