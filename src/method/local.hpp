#ifndef KAON_METHOD_LOCAL_HPP
#define KAON_METHOD_LOCAL_HPP

#include <kaon/core/types.hpp>
#include <kaon/layer/space.hpp>

namespace kaon {

template <class T>
struct StepContext;

/// What a method with local steps does between messages (LocalSettings). Every rank that computes gradients of a worker keeps the
/// worker's point θ_j and walks it alike. In a step, on each of them: on_gradient() with the worker's gradient at its point, for
/// every layer, which posts nothing; then walk() of every layer. The point of a round's first step is W.
template <class T>
class LocalWalk {
 public:
  virtual ~LocalWalk() = default;
  /// θ_j of the layer, behind a round's first step.
  virtual ConstMatrix<T, Space> point(int layer, int worker) const = 0;
  /// The worker's inner step, with cx.multiplier known and W arrived. Where cx.round_ends it then posts the worker's packet, at
  /// the worker's home.
  virtual void walk(StepContext<T>& cx, int layer, int worker) = 0;
  /// Whether the weights move in walk(), and not at the server: there `motion` is told by the first rank of worker 0.
  virtual bool moves_at_workers() const = 0;
};

}  // namespace kaon

#endif
