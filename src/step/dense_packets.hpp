#ifndef KAON_STEP_DENSE_PACKETS_HPP
#define KAON_STEP_DENSE_PACKETS_HPP

#include <kaon/core/types.hpp>
#include <kaon/exchange/exchange.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/plan/blocks.hpp>

#include <vector>

namespace kaon {

/// Dense gradients of single workers, one packet each, for layers whose method takes their mean and that nobody may add on the
/// way, because each is clipped first. The sum is in the order of BlockSum over the workers: that of GradientSums, where a
/// worker's micro-batches are a power of two.
template <class T>
class DensePackets {
 public:
  /// `served`: layers of that kind that this rank plays the server for.
  DensePackets(std::vector<Layer> const& layers, Exchange& exchange, std::vector<bool> const& served);

  /// At the layer's home: posts the worker's gradient. With messages in host memory it fences.
  void post(Space const& exec, int layer, int worker, ConstMatrix<T, Space> const& gradient);
  /// At a server, when the layer's n packets are there: the mean over the workers, valid until the next call. Throws InputError
  /// that names step, layer and worker where a packet is not as long as the layer.
  Matrix<T, Space> mean(Space const& exec, int layer);

 private:
  std::vector<Layer> layers_;
  Exchange& exchange_;
  std::vector<Vector<T, Space>> buffers_;  ///< of the largest layer: partial sums, of one layer at a time
  std::vector<Vector<T, Space>> free_;
  BlockSum<Matrix<T, Space>> sum_;
};

extern template class DensePackets<float>;
extern template class DensePackets<double>;

}  // namespace kaon

#endif
