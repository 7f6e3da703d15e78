#include <kaon/step/micro_sums.hpp>

#include <kaon/core/error.hpp>
#include <kaon/exchange/message_copy.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/update.hpp>

#include <algorithm>

namespace kaon {

namespace {

// How many sums stand at once while a range of micro-batches is added up.
std::size_t depth_of(Range const& range) {
  BlockSum<int> sum;
  std::size_t deepest = 0;
  auto const nothing = [](auto&&...) {};
  for (int m = range.first; m < range.end(); ++m) {
    sum.push({{m, 1}, 0}, nothing, nothing);
    deepest = std::max(deepest, sum.parts().size());
  }
  return deepest;
}

template <class T>
void add_into(Space const& exec, Matrix<T, Space> const& left, ConstMatrix<T, Space> const& right) {
  axpy<T>(exec, left, T(1), right);
}

}  // namespace

template <class T>
MicroSums<T>::MicroSums(std::vector<Layer> const& layers, Exchange& exchange, int rank)
    : layers_(layers),
      exchange_(exchange),
      mine_(exchange.plan().micros_at(rank)),
      sums_(layers.size()),
      buffers_(layers.size()) {
  if (exchange.plan().micro_batches() == 1 || mine_.count == 0) return;
  auto const depth = depth_of(mine_);
  std::size_t largest = 0, others = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto const rows = static_cast<std::size_t>(layers[i].rows), cols = static_cast<std::size_t>(layers[i].cols);
    for (std::size_t d = 0; d < depth; ++d) buffers_[i].emplace_back("kaon::step::micro_sum", rows, cols);
    sums_[i].reserve(depth + 1);
    largest = std::max(largest, rows * cols);
  }
  for (auto const& sender : exchange.senders()) others += sender.blocks.size();
  for (std::size_t k = 0; k < others; ++k) received_.emplace_back("kaon::step::received_sum", largest);
  joined_.reserve(others + depth + 1);
}

template <class T>
Matrix<T, Space> MicroSums<T>::shaped(Vector<T, Space> const& buffer, int layer) const {
  auto const& l = layers_[static_cast<std::size_t>(layer)];
  return Matrix<T, Space>(buffer.data(), static_cast<std::size_t>(l.rows), static_cast<std::size_t>(l.cols));
}

template <class T>
bool MicroSums<T>::add(Space const& exec, int layer, int micro, ConstMatrix<T, Space> const& gradient) {
  auto& sum = sums_[static_cast<std::size_t>(layer)];
  auto const& buffers = buffers_[static_cast<std::size_t>(layer)];
  require(mine_.contains(micro) && (micro > mine_.first || sum.parts().empty()), "MicroSums: not this rank's next micro-batch");
  AddBlock const one{micro, 1};
  if (!sum.parts().empty() && sum.parts().back().block.completes(one)) {  // straight into its neighbour: nothing is copied
    auto part = sum.parts().back();
    add_into<T>(exec, part.value, gradient);
    sum.replace_last(
        {{part.block.first, 2}, part.value}, [&](auto const& l, auto const& r) { add_into<T>(exec, l, r); }, [](auto const&) {});
  } else {
    auto const& buffer = buffers[sum.parts().size()];
    copy<T>(exec, buffer, gradient);
    sum.push(
        {one, buffer}, [](auto&&...) {}, [](auto&&...) {});
  }
  return micro + 1 == mine_.end();
}

template <class T>
void MicroSums<T>::send(Space const& exec, int layer) {
  auto& sum = sums_[static_cast<std::size_t>(layer)];
  require(sum.parts().size() == exchange_.my_blocks().size(), "MicroSums: the sums are not complete");
  for (std::size_t k = 0; k < sum.parts().size(); ++k) {
    auto const& value = sum.parts()[k].value;
    auto const room = exchange_.sum_payload(layer, k);
    auto const bytes = value.size() * sizeof(T);
    clear_message(exec, exchange_.memory(), room.data() + bytes, room.size() - bytes);
    copy_to_message(exec, exchange_.memory(), reinterpret_cast<T*>(room.data()), value.data(), value.size());
    if (exchange_.memory() == MessageMemory::host) exec.fence();
    exchange_.post_sum(layer, k);
  }
  sum.clear();
}

template <class T>
ConstMatrix<T, Space> MicroSums<T>::finish(Space const& exec, int layer) {
  auto& sum = sums_[static_cast<std::size_t>(layer)];
  auto const add = [&](Matrix<T, Space> const& left, Matrix<T, Space> const& right) { add_into<T>(exec, left, right); };
  auto const drop = [](auto const&) {};
  if (exchange_.senders().empty()) return sum.finish(add, drop);
  // All ranks' blocks, ascending: the senders are in the order of their micro-batches, and this rank stands among them.
  std::size_t next = 0;
  auto const mine = [&] {
    for (auto const& part : sum.parts()) joined_.push(part, add, drop);
    sum.clear();
  };
  bool placed = false;
  for (std::size_t s = 0; s < exchange_.senders().size(); ++s) {
    auto const& blocks = exchange_.senders()[s].blocks;
    if (!placed && blocks.front().first > mine_.first) {
      mine();
      placed = true;
    }
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      auto const in = exchange_.take_sum(layer, s, k);
      auto const to = shaped(received_[next++], layer);
      copy_from_message(exec, exchange_.memory(), to.data(), reinterpret_cast<T const*>(in.data()), to.size());
      joined_.push({blocks[k], to}, add, drop);
    }
  }
  if (!placed) mine();
  return joined_.finish(add, drop);
}

template class MicroSums<float>;
template class MicroSums<double>;

}  // namespace kaon
