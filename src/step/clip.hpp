#ifndef KAON_STEP_CLIP_HPP
#define KAON_STEP_CLIP_HPP

#include <kaon/core/types.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/plan/plan.hpp>

#include <memory>
#include <vector>

namespace kaon {

/// Clips each worker's own gradient by its norm over all layers, as torch.nn.utils.clip_grad_norm_ does a model's:
/// g ← min(1, clip/(‖g‖ + 10⁻⁶))·g. Layers are held until a worker's last one has come. ‖g‖² is the sum, layer after layer in
/// double, of each layer's own sum of squares, which is taken at its home: the same bits for any number of ranks. Where the ranks
/// of a worker are a group, the layers' sums of squares travel in a collective operation of theirs.
template <class T>
class Clip {
 public:
  /// Collective where the plan has groups of ranks. Allocates the layers that are held, where GradientSums does not keep them.
  /// `everywhere`: all ranks that share a worker are given all of its layers, and not each layer's home alone.
  Clip(Communicator const& comm, std::vector<Layer> const& layers, Plan const& plan, double clip, bool everywhere = false);

  void begin_step() { begun_ = known_ = given_ = false; }
  /// A layer of the worker's whole gradient, at its home, once a step; copies it.
  void hold(Space const& exec, int layer, int worker, ConstMatrix<T, Space> const& gradient);
  /// The same of an array that nobody else writes to before it has been given on; it is scaled in place.
  void hold_own(Space const& exec, int layer, int worker, Matrix<T, Space> const& gradient);
  /// When all layers of a worker that are at home here are held, and the norm is known: scales them, and calls
  /// give(layer, worker, gradient) for each, the last one first. True when nothing is left to be given.
  template <class Give>
  bool give(Space const& exec, Give&& give);
  /// Whether a norm that give() waits for has come.
  bool arrived();

 private:
  bool group() const { return group_ != nullptr; }
  bool know_factor(Space const& exec);

  double clip_;
  std::vector<bool> home_;  ///< layer: of this rank's workers
  int homes_ = 0, held_count_ = 0, worker_ = -1;
  std::vector<Matrix<T, Space>> buffers_, held_;  ///< layer
  Vector<double, Space> squares_, partials_;
  Scalar<double, Space> factor_;
  decltype(Kokkos::create_mirror_view(Vector<double, Space>())) host_squares_;
  std::unique_ptr<Communicator> group_;  ///< of the ranks that share a worker with this one
  PendingSum sum_;
  bool begun_ = false, known_ = false, given_ = false;
};

template <class T>
template <class Give>
bool Clip<T>::give(Space const& exec, Give&& give) {
  if (group() ? given_ : held_count_ == 0) return true;
  if (held_count_ < homes_ || !know_factor(exec)) return false;
  for (std::size_t i = held_.size(); i-- > 0;) {
    if (!home_[i]) continue;
    copy_scaled<T>(exec, held_[i], T(1), factor_, held_[i]);
    give(static_cast<int>(i), worker_, ConstMatrix<T, Space>(held_[i]));
  }
  held_count_ = 0;
  given_ = true;
  return true;
}

extern template class Clip<float>;
extern template class Clip<double>;

}  // namespace kaon

#endif
