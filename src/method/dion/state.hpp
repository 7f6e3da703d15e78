#ifndef KAON_METHOD_DION_STATE_HPP
#define KAON_METHOD_DION_STATE_HPP

#include <kaon/core/types.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/method/dion/traits.hpp>
#include <kaon/method/method.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/state/registry.hpp>

#include <vector>

namespace kaon {

/// What a rank keeps of Dion: M_j (m×n) for the workers at home here, Q (n×r) and, from one round to the next, P (m×r) on every
/// rank; of dense layers M and Q where they are served.
template <class T>
class DionState {
 public:
  using Cube = Kokkos::View<T***, Kokkos::LayoutRight, DeviceOf<Space>>;  ///< worker at home here × m × n

  /// Allocates, for the layers of `of` alone; all zero. `constants` by layer.
  DionState(MethodLayers const& of, std::vector<dion::Constants> const& constants, Plan const& plan, int rank);

  /// M_j = M = 0; Q Gaussian with columns of norm 1, a function of seed and layer.
  void initialize(Space const& exec);

  Matrix<T, Space> M(int layer, int worker) const {
    return Kokkos::subview(workers_[at(layer)], static_cast<std::size_t>(worker - here_[at(layer)].first), Kokkos::ALL,
                           Kokkos::ALL);
  }
  Matrix<T, Space> const& M(int layer) const { return server_[at(layer)]; }
  Matrix<T, Space> const& P(int layer) const { return P_[at(layer)]; }
  Matrix<T, Space> const& Q(int layer) const { return Q_[at(layer)]; }
  /// Q's columns ← R's, divided by their norms; a zero one leaves Q's as it is.
  void renew_Q(Space const& exec, int layer, ConstMatrix<T, Space> const& R) const;

  bool serves(int layer) const { return served_[at(layer)]; }
  bool owns(int layer) const { return owned_[at(layer)]; }
  /// The workers at home here.
  Range here(int layer) const { return here_[at(layer)]; }

  void register_state(Registry& registry) const;
  /// Collective. Q has columns of norm 1, the same bits wherever it is kept, and all of it is finite. As Method::check.
  double check(Communicator const& comm, double tolerance) const;

 private:
  static std::size_t at(int layer) { return static_cast<std::size_t>(layer); }

  MethodLayers of_;
  std::vector<dion::Constants> constants_;
  std::vector<bool> served_, owned_;  ///< layer
  std::vector<Range> here_;
  std::vector<Cube> workers_;
  std::vector<Matrix<T, Space>> server_, P_, Q_;
  Vector<double, Space> scales_, partials_;  ///< for the largest Q
};

extern template class DionState<float>;
extern template class DionState<double>;

}  // namespace kaon

#endif
