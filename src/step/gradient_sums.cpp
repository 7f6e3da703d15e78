#include <kaon/step/gradient_sums.hpp>

#include <kaon/core/error.hpp>
#include <kaon/exchange/message_copy.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/update.hpp>

#include <algorithm>

namespace kaon {

namespace {

constexpr auto keep_all = [](auto&&...) {};

// How many sums stand at once while a range of terms is added up.
std::size_t depth_of(Range const& range) {
  BlockSum<int> sum;
  std::size_t deepest = 0;
  for (int m = range.first; m < range.end(); ++m) {
    sum.push({{m, 1}, 0}, keep_all, keep_all);
    deepest = std::max(deepest, sum.parts().size());
  }
  return deepest;
}

// How many of others' sums stand at once while all are joined; each is let go where it is added to what stands left of it.
std::size_t others_at_once(std::vector<Exchange::Sender> const& senders, Range const& mine) {
  BlockSum<int> sum;  // 1: another rank's
  std::size_t now = 0, most = 0;
  auto const drop = [&](int others) { now -= static_cast<std::size_t>(others); };
  auto const own = blocks_of(mine);
  bool placed = own.empty();
  auto const place = [&] {
    for (auto const& b : own) sum.push({b, 0}, keep_all, drop);
    placed = true;
  };
  for (auto const& sender : senders) {
    if (!placed && sender.blocks.front().first > mine.first) place();
    for (auto const& b : sender.blocks) {
      most = std::max(most, ++now);
      sum.push({b, 1}, keep_all, drop);
    }
  }
  return most;
}

template <class T>
void add_into(Space const& exec, Matrix<T, Space> const& left, ConstMatrix<T, Space> const& right) {
  axpy<T>(exec, left, T(1), right);
}

}  // namespace

template <class T>
GradientSums<T>::GradientSums(std::vector<Layer> const& layers, Exchange& exchange, std::vector<bool> const& alone)
    : layers_(layers), exchange_(exchange), sums_(layers.size()), buffers_(layers.size()) {
  std::size_t largest = 0, others = 0, deepest = 0;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    int const i = static_cast<int>(k);
    if (alone[k]) continue;
    auto const rows = static_cast<std::size_t>(layers[k].rows), cols = static_cast<std::size_t>(layers[k].cols);
    auto const depth = depth_of(exchange.terms(i));
    for (std::size_t d = 0; d < depth; ++d) buffers_[k].emplace_back("kaon::step::gradient_sum", rows, cols);
    sums_[k].reserve(depth + 1);
    if (!exchange.joins_sums(i)) continue;
    auto const& senders = exchange.senders(i);
    if (senders.empty()) continue;
    largest = std::max(largest, rows * cols);
    others = std::max(others, others_at_once(senders, exchange.terms(i)));
    deepest = std::max(deepest, depth);
  }
  for (std::size_t k = 0; k < others; ++k) received_.emplace_back("kaon::step::received_sum", largest);
  taken_.resize(others);
  joined_.reserve(others + deepest + 1);
}

template <class T>
Matrix<T, Space> GradientSums<T>::received(int layer) {
  auto const& l = layers_[static_cast<std::size_t>(layer)];
  auto const free = std::find(taken_.begin(), taken_.end(), false);
  require(free != taken_.end(), "GradientSums: more partial sums at once than were counted");
  *free = true;
  return Matrix<T, Space>(received_[static_cast<std::size_t>(free - taken_.begin())].data(), static_cast<std::size_t>(l.rows),
                          static_cast<std::size_t>(l.cols));
}

template <class T>
void GradientSums<T>::drop(Matrix<T, Space> const& value) {
  for (std::size_t k = 0; k < received_.size(); ++k)
    if (received_[k].data() == value.data()) taken_[k] = false;
}

template <class T>
bool GradientSums<T>::add(Space const& exec, int layer, int term, ConstMatrix<T, Space> const& gradient) {
  auto& sum = sums_[static_cast<std::size_t>(layer)];
  auto const& buffers = buffers_[static_cast<std::size_t>(layer)];
  auto const& mine = exchange_.terms(layer);
  require(mine.contains(term) && (term > mine.first || sum.parts().empty()), "GradientSums: not this rank's next term");
  AddBlock const one{term, 1};
  if (!sum.parts().empty() && sum.parts().back().block.completes(one)) {  // straight into its neighbour: nothing is copied
    auto part = sum.parts().back();
    add_into<T>(exec, part.value, gradient);
    sum.replace_last(
        {{part.block.first, 2}, part.value}, [&](auto const& l, auto const& r) { add_into<T>(exec, l, r); }, keep_all);
  } else {
    auto const& buffer = buffers[sum.parts().size()];
    copy<T>(exec, buffer, gradient);
    sum.push({one, buffer}, keep_all, keep_all);
  }
  return term + 1 == mine.end();
}

template <class T>
void GradientSums<T>::send(Space const& exec, int layer) {
  auto& sum = sums_[static_cast<std::size_t>(layer)];
  require(sum.parts().size() == exchange_.my_blocks(layer).size(), "GradientSums: the sums are not complete");
  for (std::size_t k = 0; k < sum.parts().size(); ++k) {
    auto const& value = sum.parts()[k].value;
    auto const room = exchange_.sum_payload(layer, k);
    auto const bytes = value.size() * sizeof(T);
    clear_message(exec, exchange_.memory(), room.data() + bytes, room.size() - bytes);
    copy_to_message(exec, exchange_.memory(), reinterpret_cast<T*>(room.data()), value.data(), value.size());
    if (exchange_.memory() == MessageMemory::host) exec.fence();
    exchange_.post_sum(layer, k);
  }
  if (!exchange_.joins_sums(layer)) sum.clear();
}

template <class T>
Matrix<T, Space> GradientSums<T>::finish(Space const& exec, int layer) {
  auto& sum = sums_[static_cast<std::size_t>(layer)];
  auto const& mine = exchange_.terms(layer);
  auto const add = [&](Matrix<T, Space> const& left, Matrix<T, Space> const& right) { add_into<T>(exec, left, right); };
  auto const let_go = [&](Matrix<T, Space> const& value) { drop(value); };
  auto const& senders = exchange_.senders(layer);
  if (senders.empty()) return sum.finish(add, keep_all);
  // All ranks' blocks, ascending: the senders are in the order of their terms, and this rank stands among them.
  auto const own = [&] {
    for (auto const& part : sum.parts()) joined_.push(part, add, let_go);
    sum.clear();
  };
  bool placed = false;
  for (std::size_t s = 0; s < senders.size(); ++s) {
    auto const& blocks = senders[s].blocks;
    if (!placed && blocks.front().first > mine.first) {
      own();
      placed = true;
    }
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      auto const in = exchange_.take_sum(layer, s, k);
      auto const to = received(layer);
      copy_from_message(exec, exchange_.memory(), to.data(), reinterpret_cast<T const*>(in.data()), to.size());
      joined_.push({blocks[k], to}, add, let_go);
    }
  }
  if (!placed) own();
  auto const whole = joined_.finish(add, let_go);
  drop(whole);
  return whole;
}

template class GradientSums<float>;
template class GradientSums<double>;

}  // namespace kaon
