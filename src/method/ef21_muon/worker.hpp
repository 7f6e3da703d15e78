#ifndef KAON_METHOD_EF21_MUON_WORKER_HPP
#define KAON_METHOD_EF21_MUON_WORKER_HPP

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

/// What one rank keeps of the workers: M_j, G_j and what their compressors remember, of each layer for the workers whose home the
/// rank is (all layers of the same workers, unless several ranks share one worker); method.md §2, worker rows.
template <class T>
class Workers {
 public:
  using Cube = Kokkos::View<T***, Kokkos::LayoutRight, DeviceOf<Space>>;  ///< worker at home here × m × n

  Workers(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings, OptimizerSettings const& optimizer,
          Tools<T>& tools, Plan const& plan, int rank);

  /// M_j = G_j = 0 and fresh compressor state for all workers at home here.
  void initialize(Space const& exec);

  /// Worker j's round for one layer: update M_j with the new gradient, encode M_j − G_j into the exchange's buffer, apply the
  /// same packet to G_j, post it. At a dense start M_j = G_j = gradient and the packet is the gradient itself.
  void round(Space const& exec, int layer, int worker, std::uint64_t step, bool dense, ConstMatrix<T, Space> const& gradient,
             Staging<T>& staging, Exchange& exchange, Measure* measure, PhaseTimer& timer);

  Matrix<T, Space> M(int layer, int worker) const { return slice(M_, layer, worker); }
  Matrix<T, Space> G(int layer, int worker) const { return slice(G_, layer, worker); }

  void register_state(Registry& registry) const;

 private:
  Matrix<T, Space> slice(std::vector<Cube> const& cubes, int layer, int worker) const {
    auto const i = static_cast<std::size_t>(layer);
    return Kokkos::subview(cubes[i], static_cast<std::size_t>(worker - here_[i].first), Kokkos::ALL, Kokkos::ALL);
  }
  std::vector<Layer> layers_;
  std::vector<LayerSettings> settings_;
  OptimizerSettings optimizer_;
  Tools<T>& tools_;
  std::vector<Range> here_;           ///< layer: the workers at home here
  std::vector<Cube> M_, G_, memory_;  ///< memory: the uplink compressors' state
};

extern template class Workers<float>;
extern template class Workers<double>;

}  // namespace kaon

#endif
