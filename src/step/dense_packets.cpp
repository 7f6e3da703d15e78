#include <kaon/step/dense_packets.hpp>

#include <kaon/core/error.hpp>
#include <kaon/exchange/message_copy.hpp>
#include <kaon/linalg/elementwise.hpp>

#include <algorithm>
#include <bit>
#include <string>

namespace kaon {

template <class T>
DensePackets<T>::DensePackets(std::vector<Layer> const& layers, Exchange& exchange, std::vector<bool> const& served)
    : layers_(layers), exchange_(exchange) {
  std::size_t largest = 0, most = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (served[i])
      largest = std::max(largest, static_cast<std::size_t>(layers[i].rows) * static_cast<std::size_t>(layers[i].cols));
  if (largest == 0) return;
  for (int j = 0; j < exchange.plan().workers(); ++j)  // what stands before worker j's is added, and that
    most = std::max(most, static_cast<std::size_t>(std::popcount(static_cast<unsigned>(j))) + 1);
  for (std::size_t k = 0; k < most; ++k) buffers_.emplace_back("kaon::step::dense_sum", largest);
  free_.reserve(most);
  sum_.reserve(most);
}

template <class T>
void DensePackets<T>::post(Space const& exec, int layer, int worker, ConstMatrix<T, Space> const& gradient) {
  auto const bytes = gradient.size() * sizeof(T), length = (bytes + 7) / 8 * 8;
  auto const room = exchange_.up_payload(layer, worker);
  require(length <= room.size(), "DensePackets: a gradient is longer than its packet");
  clear_message(exec, exchange_.memory(), room.data() + bytes, length - bytes);
  copy_to_message(exec, exchange_.memory(), reinterpret_cast<T*>(room.data()), gradient.data(), gradient.size());
  if (exchange_.memory() == MessageMemory::host) exec.fence();
  exchange_.post_up(layer, worker, length);
}

template <class T>
Matrix<T, Space> DensePackets<T>::mean(Space const& exec, int layer) {
  auto const& l = layers_[static_cast<std::size_t>(layer)];
  auto const rows = static_cast<std::size_t>(l.rows), cols = static_cast<std::size_t>(l.cols);
  auto const length = (rows * cols * sizeof(T) + 7) / 8 * 8;
  int const workers = exchange_.plan().workers();
  free_.assign(buffers_.begin(), buffers_.end());
  auto const add = [&](Matrix<T, Space> const& left, Matrix<T, Space> const& right) { axpy<T>(exec, left, T(1), right); };
  auto const let_go = [&](Matrix<T, Space> const& right) {
    for (auto const& b : buffers_)
      if (b.data() == right.data()) free_.push_back(b);
  };
  for (int j = 0; j < workers; ++j) {
    auto const in = exchange_.take_up(layer, j);
    if (in.size() != length)
      throw InputError("step " + std::to_string(exchange_.step()) + ", layer " + l.name + ", worker " + std::to_string(j) +
                       ": a dense gradient of " + std::to_string(in.size()) + " bytes; it must have " + std::to_string(length));
    Matrix<T, Space> const one(free_.back().data(), rows, cols);
    free_.pop_back();
    copy_from_message(exec, exchange_.memory(), one.data(), reinterpret_cast<T const*>(in.data()), one.size());
    sum_.push({{j, 1}, one}, add, let_go);
  }
  auto const all = sum_.finish(add, let_go);
  if (workers > 1) scale<T>(exec, all, T(1) / static_cast<T>(workers));
  bool const sends = exchange_.sends_down() || exchange_.plan().ranks() == 1;
  if (!sends) exec.fence();  // elsewhere the downlink's encoding does, before the next message may come
  return all;
}

template class DensePackets<float>;
template class DensePackets<double>;

}  // namespace kaon
