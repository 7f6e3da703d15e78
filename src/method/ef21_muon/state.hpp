#ifndef KAON_METHOD_EF21_MUON_STATE_HPP
#define KAON_METHOD_EF21_MUON_STATE_HPP

#include <kaon/core/types.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/method/method.hpp>
#include <kaon/method/registry.hpp>
#include <kaon/method/tools.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/state/registry.hpp>

#include <optional>
#include <vector>

namespace kaon {

/// What becomes of what the uplink's compressor drops.
enum class Feedback { ef21, ef14, none };

/// What of the state there is.
struct Ef21Keeps {
  bool momentum = true;  ///< M_j; without, the method has momenta of its own
  bool values = false;   ///< an uplink that drops nothing carries values that are no M_j; X and G are kept for every layer
};

/// What a rank keeps of EF21-Muon: M_j, G_j and what their compressors remember, of each layer for the workers whose home the
/// rank is; X, G and what the downlink's compressor remembers, for the layers that it serves. What says nothing new is not there:
/// G_j and G of a layer whose uplink drops nothing, since they are M_j (or its look-ahead) and their mean, made anew in every
/// step; X of a layer whose downlink drops nothing, which is W.
template <class T>
class Ef21State {
 public:
  using Cube = Kokkos::View<T***, Kokkos::LayoutRight, DeviceOf<Space>>;  ///< worker at home here × m × n

  /// Allocates, for the layers of `of` alone; all zero. `traits` are the method's, whose name is the root of the state;
  /// `tools` outlives the object.
  Ef21State(MethodLayers const& of, MethodTraits const& traits, Ef21Keeps const& keeps, Tools<T>& tools, Plan const& plan,
            int rank, std::vector<Matrix<T, Space>> const& W);

  /// M_j = G_j = G = 0, X = W, fresh memories of the compressors.
  void initialize(Space const& exec);

  Matrix<T, Space> M(int layer, int worker) const { return slice(M_, layer, worker); }
  Matrix<T, Space> G(int layer, int worker) const { return slice(G_, layer, worker); }
  /// e_j, with feedback ef14.
  Matrix<T, Space> error(int layer, int worker) const { return slice(error_, layer, worker); }
  Feedback feedback(int layer) const { return feedback_[static_cast<std::size_t>(layer)]; }
  /// Whether a layer has feedback ef21.
  bool keeps_estimates() const;
  double feedback_decay(int layer) const { return decay_[static_cast<std::size_t>(layer)]; }
  Matrix<T, Space> uplink_memory(int layer, int worker) const { return slice(up_memory_, layer, worker); }
  /// W itself where keeps_X() is false.
  Matrix<T, Space> const& X(int layer) const { return server_X_[static_cast<std::size_t>(layer)]; }
  /// Empty where keeps_G() is false.
  Matrix<T, Space> const& G(int layer) const { return server_G_[static_cast<std::size_t>(layer)]; }
  bool keeps_X(int layer) const { return keeps_.values || !tools_.downlink(layer).replaces(); }
  bool keeps_G(int layer) const { return keeps_.values || !tools_.uplink(layer).replaces(); }
  Matrix<T, Space> const& downlink_memory(int layer) const { return down_memory_[static_cast<std::size_t>(layer)]; }
  bool owns(int layer) const { return owned_[static_cast<std::size_t>(layer)]; }
  bool serves(int layer) const { return served_[static_cast<std::size_t>(layer)]; }
  /// Whether the worker's home of the layer is here.
  bool at_home(int layer, int worker) const { return here_[static_cast<std::size_t>(layer)].contains(worker); }

  void register_state(Registry& registry) const;

  /// Collective. G = mean_j G_j, recomputed in worker order, within `tolerance` of the largest ‖G_j‖ (the running sum and the
  /// recomputed mean round differently); X and M_j finite. As Method::check.
  double check(Communicator const& comm, double tolerance) const;

 private:
  Matrix<T, Space> slice(std::vector<Cube> const& cubes, int layer, int worker) const {
    auto const i = static_cast<std::size_t>(layer);
    return Kokkos::subview(cubes[i], static_cast<std::size_t>(worker - here_[i].first), Kokkos::ALL, Kokkos::ALL);
  }
  void accept_older(Registry& registry, std::size_t first_of_mine) const;
  std::string not_finite() const;

  MethodLayers of_;
  std::string root_;
  Ef21Keeps keeps_;
  Tools<T>& tools_;
  Plan plan_;
  int rank_;
  std::vector<Matrix<T, Space>> W_;
  std::vector<bool> served_, owned_;             ///< layer
  std::vector<Range> here_;                      ///< layer: the workers at home here
  std::vector<Cube> M_, G_, error_, up_memory_;  ///< layer; G_ with ef21, error_ with ef14
  std::vector<Feedback> feedback_;
  std::vector<double> decay_;
  std::vector<Matrix<T, Space>> server_X_, server_G_, down_memory_;
};

extern template class Ef21State<float>;
extern template class Ef21State<double>;

}  // namespace kaon

#endif
