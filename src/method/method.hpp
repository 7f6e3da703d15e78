#ifndef KAON_METHOD_METHOD_HPP
#define KAON_METHOD_METHOD_HPP

#include <kaon/clock/phases.hpp>
#include <kaon/core/types.hpp>
#include <kaon/exchange/exchange.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/method/figures.hpp>
#include <kaon/method/local.hpp>
#include <kaon/method/measure.hpp>
#include <kaon/method/settings.hpp>
#include <kaon/method/staging.hpp>
#include <kaon/plan/plan.hpp>
#include <kaon/state/registry.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace kaon {

/// What a method is made for: all layers of a model, of which it has those in `mine`. One object of a method serves all layers
/// that name it.
struct MethodLayers {
  std::vector<Layer> layers;
  std::vector<LayerSettings> settings;  ///< of each layer
  std::vector<int> mine;                ///< layers of this method, ascending
  OptimizerSettings optimizer;
};

/// A step as a method sees it: where to compute, and what with.
template <class T>
struct StepContext {
  Space exec;
  Staging<T>& staging;
  Exchange& exchange;
  PhaseTimer& timer;
  std::vector<Matrix<T, Space>> const& W;  ///< the shared model, all layers; a method writes its own
  Vector<double, Space> motion;            ///< Motion::count entries a layer, for move_along
  std::uint64_t step = 0;
  bool dense = false;          ///< the step whose uplink is the uncompressed start
  std::uint64_t in_round = 0;  ///< with local steps: those of the round before this one
  bool round_ends = true;      ///< the step has messages
  double multiplier = 1;       ///< the schedule's; known to serve() and to what comes of it, follow() too
  Measure* measure = nullptr;  ///< where there are figures to be taken; not for follow(), which may come a step later

  /// The layer's entries of `motion`.
  Vector<double, Space> motion_of(int layer) const;
};

/// What is computed: the mathematics of some layers, as the engine drives it. A step is, for every layer: on_gradient() for each
/// worker (or once, for their sum), serve() at its server, follow() elsewhere; the engine sees to it that what a call needs is
/// there, and to when it is called. Layers come in any order. Results depend on (layer, worker, step, state) alone, never on
/// ranks.
///
/// A layer whose flows have a second stage goes on after serve(), which then posts what the second round depends on: hear() where
/// others serve, answer() for each worker at its home, conclude() at the server, which makes the step, follow() elsewhere. The
/// packets of that round go by cx.exchange.second().
///
/// All work goes to cx.exec, and no call allocates. A method writes cx.W of its layers: at the server in serve(), elsewhere in
/// follow(), to the same bits; with a second stage in conclude() and follow().
template <class T>
class Method {
 public:
  virtual ~Method() = default;

  /// What the layer sends in a step. Called before place(), on any rank with the same result.
  virtual LayerFlows flows(int layer) const = 0;
  /// What serve() costs, in the unit of lmo_cost(): owners are balanced by it.
  virtual double cost(int layer) const = 0;
  /// Columns of the factors that a step of the layer is made of, P of m×r and Q of n×r; 0: it has none. For the cost model.
  virtual int factor_columns(int layer) const {
    static_cast<void>(layer);
    return 0;
  }
  /// Allocates the state that `rank` keeps, once; `W` is the shared model. Throws UsageError that names the layer.
  virtual void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) = 0;
  /// The state of step 0; W holds the starting point.
  virtual void initialize(Space const& exec) = 0;

  /// With Up::each, at the worker's home: takes the worker's gradient, and posts the worker's packet of the layer. With
  /// Up::ordered_sum, at every server of the layer, with worker = -1: takes the sum of all workers' gradients; posts nothing.
  virtual void on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) = 0;
  /// At a server, when all the layer's packets are there: the step of X and W, and the downlink's packet. Measures at the owner
  /// alone.
  virtual void serve(StepContext<T>& cx, int layer) = 0;
  /// On a rank that does not serve the layer, when its downlink's packet is there. Asynchronous: the packet is read until the
  /// next fence.
  virtual void follow(StepContext<T>& cx, int layer) = 0;

  /// Of a method with local steps: the walk between messages, which replaces on_gradient()'s packets. Null: it has none.
  virtual LocalWalk<T>* local() { return nullptr; }

  // Of layers with a second stage.
  /// On a rank that does not serve the layer, when the downlink's packet of the first stage is there: takes it. Asynchronous, as
  /// follow().
  virtual void hear(StepContext<T>& cx, int layer);
  /// At the worker's home, after hear() or serve(): posts the worker's packet of the second stage.
  virtual void answer(StepContext<T>& cx, int layer, int worker);
  /// At a server, when all the layer's packets of the second stage are there: the step, and the downlink's packet.
  virtual void conclude(StepContext<T>& cx, int layer);
  /// Whether W makes its step on every rank by itself: then they need the same arithmetic, and are compared before W is saved.
  virtual bool steps_everywhere() const { return false; }

  /// Everything of the method that outlives a step, besides W.
  virtual void register_state(Registry& registry) const = 0;
  /// What measured steps tell of a layer.
  virtual Figures const& figures() const = 0;
  /// Collective. What must hold between steps; the largest relative error seen. Throws InputError, on every rank, that names the
  /// layer.
  virtual double check(Communicator const& comm, double tolerance) const = 0;
  /// What check() has found to hold, for a log: "mean G_j = G"; empty: nothing to speak of.
  virtual std::string invariant() const { return {}; }
};

namespace detail {
[[noreturn]] inline void no_second_stage() { throw std::logic_error("kaon: a second stage of a method that has none"); }
}  // namespace detail

template <class T>
void Method<T>::hear(StepContext<T>&, int) {
  detail::no_second_stage();
}
template <class T>
void Method<T>::answer(StepContext<T>&, int, int) {
  detail::no_second_stage();
}
template <class T>
void Method<T>::conclude(StepContext<T>&, int) {
  detail::no_second_stage();
}

template <class T>
Vector<double, Space> StepContext<T>::motion_of(int layer) const {
  constexpr auto entries = static_cast<std::size_t>(Motion::count);
  return Vector<double, Space>(motion.data() + static_cast<std::size_t>(layer) * entries, entries);
}

}  // namespace kaon

#endif
