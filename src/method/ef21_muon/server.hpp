#ifndef KAON_METHOD_EF21_MUON_SERVER_HPP
#define KAON_METHOD_EF21_MUON_SERVER_HPP

#include <kaon/clock/phases.hpp>
#include <kaon/core/types.hpp>
#include <kaon/exchange/exchange.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/method/measure.hpp>
#include <kaon/method/settings.hpp>
#include <kaon/method/staging.hpp>
#include <kaon/method/tools.hpp>
#include <kaon/state/registry.hpp>

#include <vector>

namespace kaon {

/// The server's state X, G for the layers that this rank serves and the shared model W of all layers; method.md §2, server rows.
template <class T>
class Server {
 public:
  Server(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings, OptimizerSettings const& optimizer,
         Tools<T>& tools, Plan const& plan, int rank);

  /// X = W for served layers, G = 0, fresh downlink compressor state. W must hold the starting point.
  void initialize(Space const& exec);

  /// The server's round for one layer whose n uplink packets are there and are taken in worker order: G from the packets, LMO, X,
  /// compress X − W, W, post. `multiplier` is the schedule's. The owner alone measures. Fences.
  void round(Space const& exec, int layer, std::uint64_t step, bool dense, double multiplier, Staging<T>& staging,
             Exchange& exchange, Measure* measure, PhaseTimer& timer);
  /// W ← W + S on a rank that does not serve the layer. Asynchronous: its payload is read until the next fence.
  void follow(Space const& exec, int layer, Staging<T>& staging, Exchange& exchange);

  std::vector<Matrix<T, Space>> const& W() const { return W_; }
  Matrix<T, Space> const& X(int layer) const { return X_[static_cast<std::size_t>(layer)]; }
  Matrix<T, Space> const& G(int layer) const { return G_[static_cast<std::size_t>(layer)]; }
  bool serves(int layer) const { return served_[static_cast<std::size_t>(layer)]; }
  bool owns(int layer) const { return owned_[static_cast<std::size_t>(layer)]; }

  /// Where rounds are to tell what came of them: Motion::count entries a layer, set to the step's number + 1 where they hold.
  void tell_motion(Vector<double, Space> const& motion) { motion_ = motion; }

  void register_state(Registry& registry) const;

 private:
  void gather(Space const& exec, int layer, bool dense, Staging<T>& staging, Exchange& exchange);

  std::vector<Layer> layers_;
  std::vector<LayerSettings> settings_;
  OptimizerSettings optimizer_;
  Tools<T>& tools_;
  std::vector<bool> served_, owned_;
  std::vector<Matrix<T, Space>> X_, G_, W_, memory_;  ///< memory: the downlink compressors' state
  Scalar<double, Space> one_, dual_;
  Vector<double, Space> motion_;
};

extern template class Server<float>;
extern template class Server<double>;

}  // namespace kaon

#endif
