#ifndef KAON_OPTIMIZER_SERVER_HPP
#define KAON_OPTIMIZER_SERVER_HPP

#include <kaon/core/types.hpp>
#include <kaon/exchange/exchange.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/optimizer/measure.hpp>
#include <kaon/optimizer/settings.hpp>
#include <kaon/optimizer/staging.hpp>
#include <kaon/optimizer/tools.hpp>
#include <kaon/state/registry.hpp>

#include <vector>

namespace kaon {

/// The server's state X, G for the layers this rank owns and the shared model W of all layers; method.md §2, server rows.
template <class T>
class Server {
 public:
  Server(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings, OptimizerSettings const& optimizer,
         Tools<T>& tools, std::vector<bool> owned);

  /// X = W for owned layers, G = 0, fresh downlink compressor state. W must hold the starting point.
  void initialize(Space const& exec);

  /// The owner's round for one layer whose n uplink packets are taken in worker order: G from the packets, LMO, X, compress
  /// X − W, W, post. `multiplier` is the schedule's.
  void round(Space const& exec, int layer, std::uint64_t step, bool dense, double multiplier, Staging<T>& staging,
             Exchange& exchange, Measure* measure);
  /// W ← W + S on a rank that does not own the layer.
  void follow(Space const& exec, int layer, Staging<T>& staging, Exchange& exchange);

  std::vector<Matrix<T, Space>> const& W() const { return W_; }
  Matrix<T, Space> const& X(int layer) const { return X_[static_cast<std::size_t>(layer)]; }
  Matrix<T, Space> const& G(int layer) const { return G_[static_cast<std::size_t>(layer)]; }
  bool owns(int layer) const { return owned_[static_cast<std::size_t>(layer)]; }

  void register_state(Registry& registry) const;

 private:
  void gather(Space const& exec, int layer, bool dense, Staging<T>& staging, Exchange& exchange);

  std::vector<Layer> layers_;
  std::vector<LayerSettings> settings_;
  OptimizerSettings optimizer_;
  Tools<T>& tools_;
  std::vector<bool> owned_;
  std::vector<Matrix<T, Space>> X_, G_, W_, memory_;  ///< memory: the downlink compressors' state
  Scalar<double, Space> one_, dual_;
};

extern template class Server<float>;
extern template class Server<double>;

}  // namespace kaon

#endif
