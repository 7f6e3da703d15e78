#ifndef KAON_METHOD_DION_TRAITS_HPP
#define KAON_METHOD_DION_TRAITS_HPP

#include <kaon/layer/layer.hpp>
#include <kaon/method/figures.hpp>
#include <kaon/method/registry.hpp>

#include <cstddef>

namespace kaon::dion {

/// Places of the figures; causes first. A layer has either of the momenta.
enum OfWorker : std::size_t { worker_momentum };
enum OfServer : std::size_t { momentum, right, model };

Figures const& figures();
MethodTraits traits();

/// What a layer's settings come to.
struct Constants {
  int rank = 1;        ///< r = ⌈dion_rank · min(m, n)⌉
  bool dense = false;  ///< r(m + n) ≥ mn: factors would be no shorter than the gradient
  double forget = 0;   ///< 1 − μ
  double scale = 1;    ///< √(m/n)
};
/// Throws UsageError that names the layer.
Constants constants_of(Layer const& layer, LayerSettings const& settings);

}  // namespace kaon::dion

#endif
