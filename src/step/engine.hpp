#ifndef KAON_STEP_ENGINE_HPP
#define KAON_STEP_ENGINE_HPP

#include <kaon/clock/phases.hpp>
#include <kaon/exchange/exchange.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/method/measure.hpp>
#include <kaon/method/set.hpp>
#include <kaon/method/settings.hpp>
#include <kaon/method/staging.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/objective/objective.hpp>
#include <kaon/state/registry.hpp>
#include <kaon/step/agreement.hpp>
#include <kaon/step/clip.hpp>
#include <kaon/step/dense_packets.hpp>
#include <kaon/step/gradient_sums.hpp>
#include <kaon/step/report.hpp>
#include <kaon/step/share_check.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kaon {

/// A step of n logical workers and one logical server spread over the ranks of a communicator: when what is computed. What is
/// computed is the layers' methods' (LayerSettings::method; kaon/method/registry.hpp). State after a step is the same bits for
/// any number of ranks, any topology and any bundles.
///
/// Messages are hidden behind work: a bundle's uplink leaves while backward goes on, servers work on bundles in the order in
/// which they are complete (those that forward needs first, first), and a downlink is awaited when the next step's forward reads
/// the layer. finish() completes what is under way; W() and whatever reads registered state call it.
template <class T>
class Engine {
 public:
  /// One LayerSettings per layer. Collective; all ranks construct it with the same arguments. `micro_batches` is the objective's.
  /// Throws UsageError, on every rank, when a layer, a setting or their number is not what it must be, by the layer's name, or
  /// when the ranks have not the same.
  Engine(Space const& exec, Communicator const& comm, std::vector<Layer> layers, std::vector<LayerSettings> settings,
         OptimizerSettings const& optimizer, int micro_batches = 1);
  /// finish(), so that no message stays behind; but not after a step that failed, nor where an exception ends the object.
  ~Engine();
  Engine(Engine const&) = delete;
  Engine& operator=(Engine const&) = delete;

  /// X = W = X⁰ from the objective; everything else zero. The next step is step 0.
  void initialize(Objective<T>& objective);
  /// The same with X⁰ from `fill`, which writes every layer on the instance that it is given; the same bits on every rank.
  void initialize(std::function<void(Space const& exec, typename Objective<T>::Point const& X)> const& fill);

  /// Called once a step on every rank, when its gradients are done: fills what this rank brings to the agreement.
  using Bring = Agreement::Bring;
  /// Sums `count` numbers of every rank along with each step's losses; StepReport::agreed has them.
  void agree_on(std::size_t count, Bring bring) { agreement_.add(count, std::move(bring)); }

  // A step by push, for a caller that has gradients of its own making: begin_step(), for each of shares() in their order W(),
  // give() of every layer and a loss, end_step(). What a caller gets wrong in between, on whatever rank, ends the step on every
  // rank with the same UsageError, which names layer, worker, step and micro-batch; so does abandon(). After an error the object
  // is of no use: every other step is refused.

  /// Opens a step; collective. `step` is 0 after initialize(), any after the registered state was set, and then grows. With
  /// `measure` the report will have layer figures. Throws UsageError, and has changed nothing, where there is no starting point
  /// yet, the step cannot be next, or the one before has not been ended.
  void begin_step(std::uint64_t step, bool measure = false);
  /// What this rank computes in the step that begin_step() opened: workers ascending, then micro-batches. A server alone has
  /// none.
  std::span<Share const> shares() const { return shares_; }
  /// The point at which the share's gradients are to be taken: W of the step before, waited for by the layer.
  ConstMatrix<T, Space> W(Share const& share, int layer);
  /// Between forward and backward, for phase times; give() does it otherwise.
  void begin_backward();
  /// Takes a layer's gradient, rows×cols, contiguous, which was written on `instance`. Layers of a share come in any order, each
  /// once; a share's first gradient comes when the share before it is complete. What is written to the gradient's memory on
  /// `instance` after the call comes late enough; so does what the host writes behind a fence of it. On an instance other than
  /// the optimizer's own the call waits for both.
  void give(Space const& instance, Share const& share, int layer, ConstMatrix<T, Space> const& gradient);
  /// The share's loss, once, before or after its gradients.
  void give_loss(Share const& share, double loss);
  /// The place on the device that the share's loss is to be written to, on the optimizer's instance or waited for; in place of
  /// give_loss().
  Scalar<double, Space> loss_of(Share const& share);
  /// Closes the step; collective. `multiplier` (not negative) scales every radius (Schedule). Throws NumericalError as step()
  /// does.
  StepReport end_step(double multiplier);
  /// The caller cannot end the step that it has begun: tells all ranks, whose end_step() throws an error of the same kind and
  /// text, and returns. Waits for them up to half a minute. Where they do not come nobody is told.
  void abandon(std::exception const& why);

  /// One step of an objective, by the calls above; collective.
  /// Throws NumericalError on every rank when any worker's loss is not finite, when a squared norm that `measure` looks at is
  /// not, and when t·decay > 1 turned the signs of a layer in the step before; UsageError as begin_step() and give() do, and
  /// where the objective is not the one of the constructor; what the objective throws, on every rank (IoError and a lack of
  /// memory: on its own rank, whose others leave_together() ends).
  StepReport step(Objective<T>& objective, std::uint64_t step, double multiplier, bool measure);

  // With local steps (OptimizerSettings::local) a step has messages only where it ends a round, and the reports of the others say
  // nothing but that. What ends a step on every rank does so when the round ends.

  LocalSettings const& local() const { return optimizer_.local; }
  /// Collective, within a round: losses of its steps that no report has had, ascending; the round's report will not have them
  /// again. For whoever writes down how far a run is. Throws NumericalError as step() does.
  std::vector<StepLoss> collect_losses();

  /// Collective: names of the layers that the last report's `still` counts.
  std::vector<std::string> still_layers() const;
  /// Collective, after the last step: what step() would say of it with the next one. Throws as it does, and returns what `still`
  /// would be; still_layers() are this step's afterwards.
  int settle();

  /// Takes in the downlinks that are still under way; local. Afterwards no message of this rank is.
  void finish() const;

  /// Whether there are several ranks and a method that steps W on each of them by itself (Method::steps_everywhere).
  bool steps_everywhere() const;
  /// The model to evaluate and ship: W, all layers, on every rank.
  typename Objective<T>::ConstPoint W() const;
  /// The method of a layer, with its state, complete up to the last step.
  Method<T> const& method(int layer) const {
    finish();
    return methods_->of(layer);
  }
  /// Columns of the reports' layers: those of all methods in use, each once.
  std::vector<std::string> columns() const;
  /// Names of the methods in use, in the order of their first layers.
  std::vector<std::string> const& methods() const { return methods_->names(); }
  /// What check_invariants() has found to hold beside W, for a log: "mean G_j = G"; empty: nothing.
  std::string invariants() const;
  Exchange const& exchange() const { return *exchange_; }
  Exchange& exchange() { return *exchange_; }
  std::vector<Layer> const& layers() const { return layers_; }
  std::vector<LayerSettings> const& settings() const { return settings_; }
  PhaseTimer& timer() { return timer_; }

  /// Everything that outlives a step. A layer's W is read by its owner alone: whoever sets fields without Checkpoints::load calls
  /// each one's `settle` afterwards, on every rank.
  void register_state(Registry& registry) const;

  /// Collective. Checks after a restart: W has the same hash on every rank and is finite, and what the methods say must hold
  /// (Method::check; ef21-muon: G = mean_j G_j). Throws InputError that names the layer. Returns the largest relative difference
  /// seen.
  double check_invariants(double tolerance) const;
  /// Collective: whether W has the same bits on every rank.
  bool same_model() const;

 private:
  void make_exchange(int micro_batches);
  void share_layer(std::size_t layer) const;
  void refuse_under_way() const;
  void refuse_failed() const;
  void check_step(std::uint64_t step) const;
  void check_objective(Objective<T> const& objective) const;
  [[noreturn]] void refuse(std::exception const& why);
  void told_or_not(std::exception const& why);
  /// What goes wrong between begin_step() and the end of end_step() ends the step.
  template <class Body>
  void held(Body&& body) {
    try {
      body();
    } catch (...) {
      fall();
      throw;
    }
  }
  void fall();
  std::size_t share_index(Share const& share) const;
  void turn_to(Share const& share);
  void check_complete(double multiplier);
  /// Empty: a step can have it.
  static std::string wrong_multiplier(std::uint64_t step, double multiplier);
  void end_gradients(double multiplier);
  void point_at(Share const& share);
  void walk(double multiplier);
  void keep_losses();
  StepLoss loss_of_step(std::uint64_t step, std::span<double const> told) const;
  std::vector<StepLoss> losses_of(std::span<double const> told) const;
  Method<T>& of(int layer) const { return methods_->of(layer); }
  bool ordered(int layer) const { return ordered_[static_cast<std::size_t>(layer)]; }
  /// Whether a step of the layer has a second stage.
  bool staged(int layer) const { return staged_[static_cast<std::size_t>(layer)]; }
  void take_gradient(int layer, Share const& share, ConstMatrix<T, Space> const& gradient);
  void take_whole(int layer, int worker, Matrix<T, Space> const& gradient);
  void take_whole(int layer, int worker, ConstMatrix<T, Space> const& gradient);
  bool give_clipped();
  void add_to_all(int layer, Share const& share, ConstMatrix<T, Space> const& gradient);
  bool join_sums();
  void serve_layer(int layer);
  void serve(double multiplier);
  // What is left to do for a bundle when this rank's gradients are done: to serve it; of one with a second stage also to hear
  // what another rank has served, and to conclude.
  struct Duty {
    enum class Kind { serve, hear, conclude } kind;
    int bundle;
    bool done = false;
  };
  void list_duties();
  bool due(Duty const& duty) const;
  void perform(Duty const& duty);
  std::string missing(Duty const& duty) const;
  void answer(int bundle);
  /// What brings the layer's W.
  Exchange& last_stage(int layer) const { return staged(layer) ? exchange_->second() : *exchange_; }
  void on_gradient(int layer, int worker, ConstMatrix<T, Space> const& gradient);
  void arrive(int layer, std::uint64_t before) const;
  void arrive_all(std::uint64_t before) const;
  void release_followed() const;
  void begin_agreement();
  void sum_losses(StepReport& report) const;
  using Told = bool (Engine::*)(int layer) const;  ///< of a layer that this rank owns
  void read_motion(std::uint64_t steps_done);
  bool stood_still(int layer) const;
  bool turned(int layer) const;
  int count(Told told) const;
  std::vector<std::string> names(Told told) const;
  void refuse_turned(std::uint64_t row, int layers) const;
  std::string largest_weight() const;
  std::uint64_t model_hash() const;
  template <class Ready, class Awaited>
  void wait_for(Phase phase, Ready&& ready, Awaited const& awaited) const;
  template <class Ready, class Awaited>
  void wait_or_tell(Phase phase, Ready&& ready, Awaited const& awaited);
  void wait_for_agreement();

  Space exec_;
  Communicator const& comm_;
  std::vector<Layer> layers_;
  std::vector<LayerSettings> settings_;
  OptimizerSettings optimizer_;
  std::unique_ptr<MethodSet<T>> methods_;
  std::vector<bool> ordered_, alone_;  ///< layer: Up::ordered_sum; no gradient of it is added to another
  std::vector<bool> staged_;           ///< layer
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<Staging<T>> staging_;
  std::vector<Matrix<T, Space>> W_;
  std::unique_ptr<StepContext<T>> context_;
  std::size_t payload_ = 0, dense_payload_ = 0;  ///< longest payloads, in bytes, of a step and of a dense start
  std::unique_ptr<Measure> measure_;
  ShareCheck check_;
  std::unique_ptr<GradientSums<T>> sums_;
  std::unique_ptr<Clip<T>> clip_;             ///< where gradients are clipped
  std::unique_ptr<DensePackets<T>> packets_;  ///< likewise, of layers whose method takes a mean
  std::vector<bool> packed_;                  ///< layer: one of those
  mutable PhaseTimer timer_;
  std::vector<std::uint64_t> untold_;  ///< steps of the round under way whose losses have not been told
  std::vector<double> kept_losses_;    ///< theirs, this rank's, n · micro_batches a step
  std::vector<int> walks_;             ///< layers in the order of backward, where there are local steps
  Vector<double, Space> losses_;       ///< one for each share this rank computes; then the layers' Motion
  decltype(Kokkos::create_mirror_view(Vector<double, Space>())) host_losses_;
  std::vector<bool> still_, turned_;  ///< layer, where this rank owns it: in the step before
  Agreement agreement_;
  std::unique_ptr<Model<T>> model_;    ///< W for the objective: waits for the downlinks of steps before step_
  std::uint64_t step_ = 0, next_ = 0;  ///< the step under way, or the last one; the one after the last that was ended
  bool under_way_ = false, dense_ = false;
  PhaseTimes before_;
  std::vector<Share> shares_;
  std::size_t turn_ = 0;  ///< whose gradients come
  enum class Pass { none, forward, backward } pass_ = Pass::none;
  struct Loss {
    bool given = false, from_host = false;
    double value = 0;
  };
  std::vector<Loss> given_losses_;                           ///< of shares_
  std::vector<Duty> duties_;                                 ///< in the order in which they are looked at
  std::vector<int> to_join_;                                 ///< bundles whose partial sums this rank joins
  std::vector<bool> served_, joined_;                        ///< bundle: done in this step
  std::vector<int> summed_;                                  ///< bundle: layers whose own micro-batches are all added
  mutable std::vector<std::pair<Exchange*, int>> followed_;  ///< bundles whose downlink a device may still read
  /// What the next step may be: none before there is a starting point, 0 after initialize(), any after a restart, then a later
  /// one.
  enum class Next { none, first, any, later, failed };
  mutable Next may_ = Next::none;
  mutable std::vector<char> started_;  ///< layer: W has been set
  int exceptions_;                     ///< in flight when the object was made
};

extern template class Engine<float>;
extern template class Engine<double>;

}  // namespace kaon

#endif
