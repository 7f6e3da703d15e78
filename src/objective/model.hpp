#ifndef KAON_OBJECTIVE_MODEL_HPP
#define KAON_OBJECTIVE_MODEL_HPP

#include <kaon/core/types.hpp>
#include <kaon/layer/space.hpp>

#include <functional>
#include <initializer_list>
#include <utility>
#include <vector>

namespace kaon {

/// W as an objective reads it: one matrix per layer, in the order of layers(). A layer's newest values may still be under way
/// from its owner; the first `W[i]` of a step waits for them. So a layer that is asked for where it is needed, and not before,
/// costs no time while others arrive.
template <class T>
class Model {
 public:
  using View = ConstMatrix<T, Space>;
  /// Called with i before each W[i].
  using Arrive = std::function<void(int layer)>;

  Model(std::vector<View> views, Arrive arrive = {}) : views_(std::move(views)), arrive_(std::move(arrive)) {}
  /// From any views, all at hand.
  Model(std::initializer_list<View> views) : views_(views) {}
  template <class Iterator>
  Model(Iterator first, Iterator last) : views_(first, last) {}

  std::size_t size() const { return views_.size(); }
  View const& operator[](std::size_t layer) const {
    if (arrive_) arrive_(static_cast<int>(layer));
    return views_[layer];
  }
  /// Another matrix of the same shape in the layer's place.
  void set(std::size_t layer, View const& view) { views_[layer] = view; }
  /// Shape of a layer, without waiting for its values.
  std::size_t rows(std::size_t layer) const { return views_[layer].extent(0); }
  std::size_t cols(std::size_t layer) const { return views_[layer].extent(1); }

 private:
  std::vector<View> views_;
  Arrive arrive_;
};

}  // namespace kaon

#endif
