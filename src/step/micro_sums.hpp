#ifndef KAON_STEP_MICRO_SUMS_HPP
#define KAON_STEP_MICRO_SUMS_HPP

#include <kaon/core/types.hpp>
#include <kaon/exchange/exchange.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>

#include <vector>

namespace kaon {

/// Adds the gradients of one worker's micro-batches, layer by layer, in the order of BlockSum, whether this rank computes all of
/// them or shares them with the others of its group. Buffers are made once; a rank with one micro-batch a worker has none.
template <class T>
class MicroSums {
 public:
  MicroSums(std::vector<Layer> const& layers, Exchange& exchange, int rank);

  /// Takes the layer's gradient of one of this rank's micro-batches. True when it was the rank's last one.
  bool add(Space const& exec, int layer, int micro, ConstMatrix<T, Space> const& gradient);
  /// On a rank that is not the layer's home, after its last micro-batch: sends its partial sums. With messages in host memory it
  /// fences for each; in device memory only when the bundle's last is written.
  void send(Space const& exec, int layer);
  /// At the home, after its last micro-batch and when the bundle's partial sums have arrived: the whole gradient, valid until the
  /// next call. Checks what was received.
  ConstMatrix<T, Space> finish(Space const& exec, int layer);

 private:
  using Sum = BlockSum<Matrix<T, Space>>;
  Matrix<T, Space> shaped(Vector<T, Space> const& buffer, int layer) const;

  std::vector<Layer> layers_;
  Exchange& exchange_;
  Range mine_;
  std::vector<Sum> sums_;                               // layer
  std::vector<std::vector<Matrix<T, Space>>> buffers_;  // layer: by depth
  std::vector<Vector<T, Space>> received_;              // of the largest layer: partial sums of others, for one layer at a time
  Sum joined_;
};

extern template class MicroSums<float>;
extern template class MicroSums<double>;

}  // namespace kaon

#endif
