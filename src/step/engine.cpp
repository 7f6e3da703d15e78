#include <kaon/step/engine.hpp>

#include <kaon/core/error.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/state/fields.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>

namespace kaon {

template <class T>
Engine<T>::~Engine() {
  if (std::uncaught_exceptions() > exceptions_) return;
  if (under_way_) {
    std::fprintf(stderr, "kaon: warning: rank %d leaves in the middle of step %llu: end_step() was not called\n", comm_.rank(),
                 static_cast<unsigned long long>(step_));
    return;
  }
  if (may_ == Next::failed) return;
  try {
    finish();
  } catch (std::exception const& e) {
    std::fprintf(stderr, "kaon: warning: rank %d leaves messages behind: %s\n", comm_.rank(), e.what());
  }
}

namespace {

bool same(std::vector<Layer> const& a, std::vector<Layer> const& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](Layer const& x, Layer const& y) { return x.name == y.name && x.rows == y.rows && x.cols == y.cols; });
}

}  // namespace

template <class T>
void Engine<T>::refuse_under_way() const {
  if (under_way_) throw UsageError("step " + std::to_string(step_) + " is under way: end_step() comes first");
}

template <class T>
void Engine<T>::refuse_failed() const {
  refuse_under_way();
  if (may_ == Next::failed) throw UsageError("the optimizer is of no use after a step that failed; make another one");
}

template <class T>
void Engine<T>::check_step(std::uint64_t step) const {
  refuse_failed();
  for (std::size_t i = 0; i < layers_.size(); ++i)
    if (!started_[i])
      throw UsageError("layer " + layers_[i].name +
                       " has no starting point: call initialize(), or load a checkpoint, before a step");
  auto const wrong = [&](char const* why) { throw UsageError("step " + std::to_string(step) + " cannot be next: " + why); };
  if (may_ == Next::first && step != 0) wrong("steps count from 0 after initialize()");
  if (may_ == Next::later && step < next_) wrong("the optimizer has been that far already");
  if (may_ == Next::later && optimizer_.local.on() && step != next_) wrong("local steps follow one another");
}

template <class T>
void Engine<T>::check_objective(Objective<T> const& objective) const {
  if (!same(objective.layers(), layers_)) throw UsageError("step() was given an objective with other layers than the optimizer");
  int const micros = exchange_->plan().micro_batches();
  if (objective.micro_batches() != micros)
    throw UsageError("the objective has " + std::to_string(objective.micro_batches()) +
                     " micro-batches, and the optimizer was made for " + std::to_string(micros) +
                     ": give its constructor objective.micro_batches()");
}

template <class T>
void Engine<T>::initialize(Objective<T>& objective) {
  if (!same(objective.layers(), layers_))
    throw UsageError("initialize() was given an objective with other layers than the optimizer");
  initialize([&](Space const& exec, typename Objective<T>::Point const& X) { objective.initialize(exec, X); });
}

template <class T>
void Engine<T>::initialize(std::function<void(Space const& exec, typename Objective<T>::Point const& X)> const& fill) {
  refuse_failed();
  finish();
  fill(exec_, W_);
  for (auto const& m : methods_->all()) m->initialize(exec_);
  exec_.fence();
  std::fill(started_.begin(), started_.end(), 1);
  may_ = Next::first;
}

template <class T>
std::vector<std::string> Engine<T>::columns() const {
  std::vector<std::string> all;
  for (auto const& m : methods_->all())
    for (auto const& name : m->figures().columns)
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  return all;
}

template <class T>
typename Objective<T>::ConstPoint Engine<T>::W() const {
  finish();
  return {W_.begin(), W_.end()};
}

template <class T>
template <class Ready, class Awaited>
void Engine<T>::wait_for(Phase phase, Ready&& ready, Awaited const& awaited) const {
  exchange_->poll();
  if (ready()) return;
  InPhase const in(timer_, phase);
  for (Patience patience(awaited); !ready(); patience.pause()) exchange_->poll();
}

// The same, unless a rank that this one waits for cannot go on.
template <class T>
template <class Ready, class Awaited>
void Engine<T>::wait_or_tell(Phase phase, Ready&& ready, Awaited const& awaited) {
  wait_for(
      phase, [&] { return ready() || agreement_.trouble(); }, awaited);
  if (agreement_.trouble()) agreement_.tell();
}

// A rank that has a message to wait for knows more: it gives up first.
template <class T>
void Engine<T>::wait_for_agreement() {
  exchange_->poll();
  if (!agreement_.done()) {
    InPhase const in(timer_, Phase::agree);
    auto const awaited = [this] { return "step " + std::to_string(step_) + ", the losses and votes of all ranks"; };
    for (Patience patience(awaited, 1.25); !agreement_.done(); patience.pause()) exchange_->poll();
  }
  if (agreement_.trouble()) agreement_.tell();
}

template <class T>
void Engine<T>::arrive(int layer, std::uint64_t before) const {
  int const b = exchange_->plan().bundle_of(layer);
  auto& exchange = last_stage(layer);
  if (!exchange.owes_down(b, before)) return;
  wait_for(
      Phase::wait_downlink, [&] { return exchange.down_arrived(b); }, [&] { return exchange.missing_down(b); });
  InPhase const in(timer_, Phase::follow);
  for (int const i : exchange_->plan().bundle(b).layers) of(i).follow(*context_, i);
  exchange.close_down(b);
  followed_.push_back({&exchange, b});
}

template <class T>
void Engine<T>::arrive_all(std::uint64_t before) const {
  for (int i = 0; i < exchange_->plan().layers(); ++i) arrive(i, before);
}

// To be called after a fence.
template <class T>
void Engine<T>::release_followed() const {
  for (auto const& [exchange, b] : followed_) exchange->release_down(b);
  followed_.clear();
}

template <class T>
void Engine<T>::finish() const {
  if (may_ == Next::failed && !under_way_) return;  // what is missing will not come
  arrive_all(next_);
  if (!followed_.empty()) {
    exec_.fence();
    release_followed();
  }
  exchange_->flush();
}

template <class T>
void Engine<T>::fall() {
  under_way_ = false;
  if (pass_ != Pass::none) timer_.leave();
  pass_ = Pass::none;
}

template <class T>
void Engine<T>::begin_step(std::uint64_t step, bool measure) {
  check_step(step);
  may_ = Next::failed;  // until it has not
  step_ = step;
  under_way_ = true;
  held([&] {
    before_ = timer_.times();
    auto const& local = optimizer_.local;
    context_->in_round = local.in_round(step);
    context_->round_ends = local.ends_round(step);
    dense_ = context_->round_ends && local.round_of(step) == 0 && optimizer_.start == Start::dense;
    context_->step = step;
    context_->dense = dense_;
    measure = measure && context_->round_ends;
    context_->measure = measure ? measure_.get() : nullptr;
    if (measure) measure_->clear(exec_);
    std::fill(joined_.begin(), joined_.end(), false);
    std::fill(summed_.begin(), summed_.end(), 0);
    if (clip_) clip_->begin_step();
    std::fill(given_losses_.begin(), given_losses_.end(), Loss());
    for (auto& s : shares_) s.step = step;
    agreement_.clear();
    staging_->fit(exec_, dense_ ? dense_payload_ : payload_);
    exchange_->begin_step(step, dense_, !context_->round_ends);
    turn_ = 0;
    if (shares_.empty()) return;
    check_.begin(shares_.front());
    timer_.enter(Phase::forward);
    pass_ = Pass::forward;
  });
}

template <class T>
ConstMatrix<T, Space> Engine<T>::W(Share const& share, int layer) {
  if (!under_way_) throw UsageError("no step is under way: W(share, layer) is for the time between begin_step() and end_step()");
  if (share_index(share) == shares_.size()) turn_to(share);
  if (layer < 0 || static_cast<std::size_t>(layer) >= layers_.size())
    refuse(UsageError("W of layer " + std::to_string(layer) + " was asked for, and there are layers 0 to " +
                      std::to_string(layers_.size() - 1)));
  ConstMatrix<T, Space> w;
  point_at(share);
  held([&] { w = (*model_)[static_cast<std::size_t>(layer)]; });
  return w;
}

template <class T>
void Engine<T>::begin_backward() {
  if (pass_ != Pass::forward) return;
  timer_.change(Phase::backward);
  pass_ = Pass::backward;
}

template <class T>
void Engine<T>::give(Space const& instance, Share const& share, int layer, ConstMatrix<T, Space> const& gradient) {
  turn_to(share);
  begin_backward();
  try {
    check_.take(layer, gradient.extent(0), gradient.extent(1), gradient.span_is_contiguous());
  } catch (UsageError const& e) {
    refuse(e);
  }
  bool const own = same_instance(instance, exec_);
  held([&] {
    if (!own) instance.fence();
    take_gradient(layer, share, gradient);
    if (!own) exec_.fence();
  });
}

template <class T>
void Engine<T>::give_loss(Share const& share, double loss) {
  auto const k = share_index(share);
  if (!under_way_ || k == shares_.size()) turn_to(share);
  if (given_losses_[k].given) refuse(UsageError("the loss was given twice: " + text_of(share)));
  given_losses_[k] = {true, true, loss};
}

template <class T>
Scalar<double, Space> Engine<T>::loss_of(Share const& share) {
  auto const k = share_index(share);
  if (!under_way_ || k == shares_.size()) turn_to(share);
  if (given_losses_[k].given) refuse(UsageError("the loss was given twice: " + text_of(share)));
  given_losses_[k].given = true;
  return Scalar<double, Space>(losses_.data() + k);
}

template <class T>
void Engine<T>::take_gradient(int layer, Share const& share, ConstMatrix<T, Space> const& gradient) {
  auto const& plan = exchange_->plan();
  if (ordered(layer)) return add_to_all(layer, share, gradient);
  if (plan.micro_batches() == 1) {
    take_whole(layer, share.worker, gradient);
  } else {
    InPhase const in(timer_, Phase::sum);
    if (!sums_->add(exec_, layer, share.micro, gradient)) return;
    if (exchange_->sends_sums(layer)) sums_->send(exec_, layer);
    if (!exchange_->joins_sums(layer)) {
      // its home has all of it
    } else if (exchange_->senders(layer).empty()) {
      take_whole(layer, share.worker, sums_->finish(exec_, layer));
    } else {
      ++summed_[static_cast<std::size_t>(plan.bundle_of(layer))];
      exchange_->poll();
      join_sums();
      return;
    }
  }
  // Encoding has fenced, and so has sending sums, but for device messages whose bundle lacks layers still. There the device may
  // yet read a downlink that is released here. Nothing overwrites it: its bundle's next one comes after this rank's message of
  // the bundle, and that one leaves behind a fence.
  release_followed();
  exchange_->poll();
}

// A worker's gradient of the layer, with all its micro-batches. `gradient` stays as it is until the worker's next step.
template <class T>
void Engine<T>::take_whole(int layer, int worker, Matrix<T, Space> const& gradient) {
  if (!clip_) return on_gradient(layer, worker, gradient);
  clip_->hold_own(exec_, layer, worker, gradient);
  give_clipped();
}

template <class T>
void Engine<T>::take_whole(int layer, int worker, ConstMatrix<T, Space> const& gradient) {
  if (!clip_) return on_gradient(layer, worker, gradient);
  {
    InPhase const in(timer_, Phase::sum);
    clip_->hold(exec_, layer, worker, gradient);
  }
  give_clipped();
}

// True when nothing is held back.
template <class T>
bool Engine<T>::give_clipped() {
  InPhase const in(timer_, Phase::sum);
  return clip_->give(exec_, [&](int layer, int worker, ConstMatrix<T, Space> const& gradient) {
    if (packed_[static_cast<std::size_t>(layer)])
      packets_->post(exec_, layer, worker, gradient);
    else
      on_gradient(layer, worker, gradient);
    exchange_->poll();
  });
}

// Of layers whose gradients are summed over all workers.
template <class T>
void Engine<T>::add_to_all(int layer, Share const& share, ConstMatrix<T, Space> const& gradient) {
  if (share.micro == 0) exchange_->count_summed(layer);
  if (alone_[static_cast<std::size_t>(layer)]) {
    of(layer).on_gradient(*context_, layer, -1, gradient);
  } else {
    InPhase const in(timer_, Phase::sum);
    int const term = share.worker * exchange_->plan().micro_batches() + share.micro;
    if (sums_->add(exec_, layer, term, gradient) && exchange_->sends_sums(layer)) sums_->send(exec_, layer);
  }
  exchange_->poll();
}

// Joins what has arrived; true when nothing is left.
template <class T>
bool Engine<T>::join_sums() {
  auto const& plan = exchange_->plan();
  bool all = true;
  for (int const b : to_join_) {
    auto const at = static_cast<std::size_t>(b);
    if (joined_[at]) continue;
    auto const& layers = plan.bundle(b).layers;
    if (summed_[at] < static_cast<int>(layers.size()) || !exchange_->sums_arrived(b)) {
      all = false;
      continue;
    }
    int const worker = plan.workers_at(comm_.rank()).first;
    for (int const i : layers) {
      InPhase const in(timer_, Phase::sum);
      take_whole(i, worker, ConstMatrix<T, Space>(sums_->finish(exec_, i)));
    }
    joined_[at] = true;
  }
  return all && (!clip_ || give_clipped());
}

template <class T>
void Engine<T>::serve_layer(int layer) {
  if (packets_ && packed_[static_cast<std::size_t>(layer)]) {
    InPhase const in(timer_, Phase::aggregate);
    of(layer).on_gradient(*context_, layer, -1, packets_->mean(exec_, layer));
  } else if (ordered(layer) && !alone_[static_cast<std::size_t>(layer)]) {
    InPhase const in(timer_, Phase::aggregate);
    auto const mean = sums_->finish(exec_, layer);
    if (optimizer_.workers > 1) scale<T>(exec_, mean, T(1) / static_cast<T>(optimizer_.workers));
    of(layer).on_gradient(*context_, layer, -1, mean);
  }
  of(layer).serve(*context_, layer);
}

// The rest of what workers do, when all gradients of this rank have been given.
template <class T>
void Engine<T>::end_gradients(double multiplier) {
  auto const joinable = [&](int b) { return !joined_[static_cast<std::size_t>(b)] && exchange_->sums_arrived(b); };
  auto const missing_sum = [&] {
    auto const first =
        std::find_if(to_join_.begin(), to_join_.end(), [&](int b) { return !joined_[static_cast<std::size_t>(b)]; });
    if (first != to_join_.end()) return exchange_->missing_sum(*first);
    return "step " + std::to_string(step_) + ", the norm of the gradient of worker " + std::to_string(shares_.front().worker) +
           ", from the ranks that share it";
  };
  {
    InPhase const in(timer_, shares_.empty() ? Phase::follow : Phase::backward);  // on a device what is left of it
    Kokkos::deep_copy(exec_, host_losses_, losses_);
    exec_.fence();
    read_motion(step_);
  }
  release_followed();
  keep_losses();
  if (walks_.empty()) begin_agreement();
  while (!join_sums())
    wait_or_tell(
        Phase::wait_sum, [&] { return std::any_of(to_join_.begin(), to_join_.end(), joinable) || (clip_ && clip_->arrived()); },
        missing_sum);
  arrive_all(step_);  // what the objective did not read
  if (!followed_.empty()) {
    exec_.fence();
    release_followed();
  }
  if (walks_.empty()) return;
  try {
    walk(multiplier);
  } catch (NumericalError const& e) {  // on this rank alone
    told_or_not(e);
    throw;
  }
  if (context_->round_ends) begin_agreement();
}

template <class T>
void Engine<T>::begin_agreement() {
  auto const micros = static_cast<std::size_t>(exchange_->plan().workers() * exchange_->plan().micro_batches());
  for (std::size_t k = 0; k < untold_.size() * micros; ++k) agreement_.loss(k) = kept_losses_[k];
  agreement_.begin(count(&Engine::stood_still), count(&Engine::turned));
}

template <class T>
void Engine<T>::sum_losses(StepReport& report) const {
  if (walks_.empty()) {
    auto one = loss_of_step(step_, agreement_.losses());
    report.loss = one.loss;
    report.worker_loss = std::move(one.worker_loss);
  } else {
    report.losses = losses_of(agreement_.losses());
    report.loss = report.losses.back().loss;
    report.worker_loss = report.losses.back().worker_loss;
  }
  report.still = agreement_.still();
  refuse_turned(step_, agreement_.turned());
  auto const brought = agreement_.brought();
  report.agreed.assign(brought.begin(), brought.end());
}

template <class T>
void Engine<T>::serve(double multiplier) {
  std::fill(served_.begin(), served_.end(), false);
  for (auto& d : duties_) d.done = false;
  context_->multiplier = multiplier;
  auto const next = [&] {
    return std::find_if(duties_.begin(), duties_.end(), [&](auto const& d) { return !d.done && due(d); });
  };
  StepReport losses;
  bool known = false;
  for (std::size_t left = duties_.size(); left > 0; --left) {
    wait_or_tell(
        Phase::wait_uplink, [&] { return next() != duties_.end(); },
        [&] { return missing(*std::find_if(duties_.begin(), duties_.end(), [](auto const& d) { return !d.done; })); });
    if (!known && agreement_.done()) {  // a NaN that is known of by now need not reach X
      sum_losses(losses);
      known = true;
    }
    auto const duty = next();
    try {
      perform(*duty);
    } catch (NumericalError const&) {  // the losses tell the cause better, and to every rank
      wait_for_agreement();
      sum_losses(losses);
      throw;
    }
    duty->done = true;
  }
}

template <class T>
StepReport Engine<T>::end_step(double multiplier) {
  if (!under_way_) throw UsageError("no step is under way: begin_step() comes before end_step()");
  check_complete(multiplier);
  StepReport report;
  held([&] {
    if (pass_ != Pass::none) timer_.leave();
    pass_ = Pass::none;
    end_gradients(multiplier);
    next_ = step_ + 1;
    if (context_->round_ends) {
      serve(multiplier);
      wait_for_agreement();
      sum_losses(report);
      untold_.clear();
    } else {
      report.ends_round = false;
      report.loss = std::numeric_limits<double>::quiet_NaN();
    }
    may_ = Next::later;
    under_way_ = false;
    if (context_->measure) {
      finish();  // a message that is missing is better reported by its name than by the collective operation that follows
      report.layers = measure_->reports(exec_, comm_);
      if (auto const what = measure_->beyond_range(layers_); !what.empty())
        throw NumericalError("step " + std::to_string(step_) + ": " + what);
    }
    report.times = timer_.times() - before_;
  });
  return report;
}

template <class T>
StepReport Engine<T>::step(Objective<T>& objective, std::uint64_t step, double multiplier, bool measure) {
  check_step(step);
  check_objective(objective);
  if (auto const text = wrong_multiplier(step, multiplier); !text.empty()) throw UsageError(text);
  begin_step(step, measure);
  struct Watch {  // an objective may outlive this object, also after an error
    Objective<T>& objective;
    ~Watch() { objective.watch_backward({}); }
  };
  try {
    Watch const watch{objective};
    objective.watch_backward([this] { begin_backward(); });
    for (auto const& share : shares_) {
      point_at(share);
      objective.gradient(exec_, loss_of(share), *model_, share,
                         [&](int layer, ConstMatrix<T, Space> const& gradient) { give(exec_, share, layer, gradient); });
    }
  } catch (IoError const&) {  // a message that does not come, most of all: asking for others would take as long again
    fall();
    throw;
  } catch (std::bad_alloc const&) {
    fall();
    throw;
  } catch (std::exception const& e) {
    abandon(e);
    throw;
  }
  return end_step(multiplier);
}

// W of a layer from its owner to all, behind a restart.
template <class T>
void Engine<T>::share_layer(std::size_t layer) const {
  finish();  // a downlink that is under way would come on top
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, W_[layer]);
  comm_.broadcast(host.data(), host.size() * sizeof(T), exchange_->plan().owner_of(static_cast<int>(layer)));
  Kokkos::deep_copy(W_[layer], host);
  started_[layer] = 1;
  may_ = Next::any;
}

template <class T>
void Engine<T>::register_state(Registry& registry) const {
  auto const first = registry.size();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::vector<std::uint64_t> const shape{W_[i].extent(0), W_[i].extent(1)};
    bool const mine = exchange_->plan().owner_of(static_cast<int>(i)) == comm_.rank();
    auto const part = mine ? whole(shape) : nothing(shape);  // read once, whatever the number of ranks
    auto& field = registry.emplace_back(view_field("/model/W/" + layers_[i].name, shape, part, part, W_[i]));
    field.resize = Resize::kept;
    field.was = "/server/W/" + layers_[i].name;
    field.settle = [this, i] { share_layer(i); };
  }
  for (auto const& m : methods_->all()) m->register_state(registry);
  for (auto f = registry.begin() + static_cast<std::ptrdiff_t>(first); f != registry.end(); ++f) {
    f->get = [this, get = std::move(f->get)](void* out) {
      refuse_under_way();
      finish();
      get(out);
    };
    f->get_rows = [this, get = std::move(f->get_rows)](std::uint64_t from, std::uint64_t count, void* out) {
      refuse_under_way();
      finish();
      get(from, count, out);
    };
    f->set = [this, path = f->path, set = std::move(f->set)](void const* in) {
      refuse_failed();
      finish();
      set(in);
      may_ = Next::any;
      for (std::size_t i = 0; i < layers_.size(); ++i)
        if (path == "/model/W/" + layers_[i].name) started_[i] = 1;
    };
  }
}

template class Engine<float>;
template class Engine<double>;

}  // namespace kaon
