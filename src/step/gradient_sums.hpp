#ifndef KAON_STEP_GRADIENT_SUMS_HPP
#define KAON_STEP_GRADIENT_SUMS_HPP

#include <kaon/core/types.hpp>
#include <kaon/exchange/exchange.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>

#include <vector>

namespace kaon {

/// Adds gradients, layer by layer, in the order of BlockSum, whether this rank computes all of them or shares them with others:
/// of one worker's micro-batches, or, for layers with Up::ordered_sum, of all workers. Terms are numbered as Exchange::terms has
/// them. Buffers are made once; a layer of which every gradient stands alone has none.
template <class T>
class GradientSums {
 public:
  /// `alone`: layers whose gradients are not added.
  GradientSums(std::vector<Layer> const& layers, Exchange& exchange, std::vector<bool> const& alone);

  /// Takes one of this rank's terms of the layer, ascending. True when it was the rank's last one.
  bool add(Space const& exec, int layer, int term, ConstMatrix<T, Space> const& gradient);
  /// After the rank's last term, where others join the sum: sends them its partial sums. With messages in host memory it fences
  /// for each; in device memory only when the bundle's last is written. A rank that joins too keeps its own.
  void send(Space const& exec, int layer);
  /// Where the sum is joined, after the last term here and when the bundle's partial sums have arrived: the whole sum, valid
  /// until the next call, and the caller's to write to. Checks what was received.
  Matrix<T, Space> finish(Space const& exec, int layer);

 private:
  using Sum = BlockSum<Matrix<T, Space>>;
  Matrix<T, Space> received(int layer);
  void drop(Matrix<T, Space> const& value);

  std::vector<Layer> layers_;
  Exchange& exchange_;
  std::vector<Sum> sums_;                               // layer
  std::vector<std::vector<Matrix<T, Space>>> buffers_;  // layer: by depth
  std::vector<Vector<T, Space>> received_;              // of the largest layer: partial sums of others, of one layer at a time
  std::vector<bool> taken_;                             // of received_
  Sum joined_;
};

extern template class GradientSums<float>;
extern template class GradientSums<double>;

}  // namespace kaon

#endif
