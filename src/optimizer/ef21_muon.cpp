#include <kaon/optimizer/ef21_muon.hpp>

#include <kaon/core/error.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/optimizer/check_settings.hpp>
#include <kaon/optimizer/layer_costs.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>

namespace kaon {

namespace {

// What is wrong on one rank ends all of them, with its text.
template <class Body>
void on_every_rank(Communicator const& comm, Body&& body) {
  std::string trouble;
  try {
    body();
  } catch (UsageError const& e) {
    trouble = e.what();
  }
  if (comm.all(trouble.empty())) return;
  for (auto const& t : comm.gather(trouble))
    if (!t.empty()) throw UsageError(t);
}

}  // namespace

template <class T>
Ef21Muon<T>::Ef21Muon(Space const& exec, Communicator const& comm, std::vector<Layer> layers, std::vector<LayerSettings> settings,
                      OptimizerSettings const& optimizer, int micro_batches)
    : exec_(exec),
      comm_(comm),
      layers_(std::move(layers)),
      settings_(std::move(settings)),
      optimizer_(optimizer),
      check_(layers_),
      started_(layers_.size()),
      exceptions_(std::uncaught_exceptions()) {
  on_every_rank(comm, [&] { check_settings(layers_, settings_, optimizer, micro_batches); });
  if (!comm.same_everywhere(settings_hash(layers_, settings_, optimizer, micro_batches)))
    throw UsageError("the ranks were given different layers or settings");
  make_exchange(micro_batches);
  auto const& plan = exchange_->plan();
  int const me = comm.rank();
  std::int64_t largest = 0;
  for (auto const& l : layers_) largest = std::max(largest, static_cast<std::int64_t>(l.rows) * l.cols);
  workers_ = std::make_unique<Workers<T>>(layers_, settings_, optimizer_, *tools_, plan, me);
  server_ = std::make_unique<Server<T>>(layers_, settings_, optimizer_, *tools_, plan, me);
  measure_ = std::make_unique<Measure>(plan.layers(), optimizer.workers, largest);
  micro_sums_ = std::make_unique<MicroSums<T>>(layers_, *exchange_, me);

  auto const here = plan.workers_at(me);
  auto const shares = static_cast<std::size_t>(here.count * plan.micros_at(me).count);
  auto const told = layers_.size() * static_cast<std::size_t>(Motion::count);
  losses_ = Vector<double, Space>("kaon::optimizer::loss", shares + told);
  still_.resize(layers_.size());
  turned_.resize(layers_.size());
  server_->tell_motion(Vector<double, Space>(losses_.data() + shares, told));
  host_losses_ = Kokkos::create_mirror_view(losses_);
  auto const bundles = plan.bundles().size();
  for (int b = static_cast<int>(bundles) - 1; b >= 0; --b) {
    int const layer = plan.bundle(b).layers.front();
    if (server_->serves(layer)) to_serve_.push_back(b);
    if (!exchange_->senders().empty() && plan.home_of(layer, here.first) == me) to_join_.push_back(b);
  }
  served_.resize(bundles);
  joined_.resize(bundles);
  summed_.resize(bundles);
  followed_.reserve(bundles);
  auto const& W = server_->W();
  model_ = std::make_unique<Model<T>>(std::vector<ConstMatrix<T, Space>>(W.begin(), W.end()),
                                      [this](int layer) { arrive(layer, step_); });
}

template <class T>
void Ef21Muon<T>::make_exchange(int micro_batches) {
  PlanSettings where;
  where.topology = optimizer_.topology;
  where.nodes = comm_.nodes();
  where.workers = optimizer_.workers;
  where.micro_batches = micro_batches;
  where.bundle_bytes = optimizer_.bundle_bytes;
  on_every_rank(comm_, [&] { tools_ = std::make_unique<Tools<T>>(layers_, settings_); });
  std::vector<LayerLoad> loads;
  std::vector<Channel> channels;
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    int const i = static_cast<int>(k);
    auto& up = tools_->uplink(i);
    auto& down = tools_->downlink(i);
    auto& dense = tools_->dense(i);
    auto const entries = static_cast<std::size_t>(layers_[k].rows) * static_cast<std::size_t>(layers_[k].cols);
    Channel c{layers_[k].name,  encoding_of(up.spec()), encoding_of(down.spec()),         encoding_of(dense.spec()),
              up.bytes_bound(), down.bytes_bound(),     (entries * sizeof(T) + 7) / 8 * 8};
    if (optimizer_.start == Start::dense) c.dense_bound = dense.bytes_bound();
    payload_ = std::max({payload_, c.up_bound, c.down_bound});
    dense_payload_ = std::max({dense_payload_, payload_, c.dense_bound});
    loads.push_back(load_of(layers_[k], settings_[k], c.up_bound, c.down_bound));
    channels.push_back(std::move(c));
  }
  Plan const plan(where, loads);
  std::vector<bool> served;
  for (int i = 0; i < plan.layers(); ++i) served.push_back(plan.serves(comm_.rank(), i));
  on_every_rank(comm_, [&] {
    tools_->make_oracles(layers_, settings_, served);  // the larger ones, where the plan wants them
    exchange_ = std::make_unique<Exchange>(comm_, plan, std::move(channels), optimizer_.messages, exec_);
  });
  staging_ = std::make_unique<Staging<T>>(layers_, payload_, optimizer_.messages);
}

template <class T>
Ef21Muon<T>::~Ef21Muon() {
  if (may_ == Next::failed || std::uncaught_exceptions() > exceptions_) return;
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
void Ef21Muon<T>::refuse_failed() const {
  if (may_ == Next::failed) throw UsageError("the optimizer is of no use after a step that failed; make another one");
}

template <class T>
void Ef21Muon<T>::check_step(Objective<T> const& objective, std::uint64_t step, double multiplier) const {
  refuse_failed();
  for (std::size_t i = 0; i < layers_.size(); ++i)
    if (!started_[i])
      throw UsageError("layer " + layers_[i].name +
                       " has no starting point: call initialize(), or load a checkpoint, before step()");
  auto const wrong = [&](char const* why) { throw UsageError("step " + std::to_string(step) + " cannot be next: " + why); };
  if (may_ == Next::first && step != 0) wrong("steps count from 0 after initialize()");
  if (may_ == Next::later && step < next_) wrong("step() has been that far already");
  if (!same(objective.layers(), layers_)) throw UsageError("step() was given an objective with other layers than the optimizer");
  int const micros = exchange_->plan().micro_batches();
  if (objective.micro_batches() != micros)
    throw UsageError("the objective has " + std::to_string(objective.micro_batches()) +
                     " micro-batches, and the optimizer was made for " + std::to_string(micros) +
                     ": give its constructor objective.micro_batches()");
  if (!std::isfinite(multiplier) || multiplier < 0)
    throw UsageError("the multiplier of step " + std::to_string(step) + " is " + std::to_string(multiplier) +
                     ", and must be finite and not negative");
}

template <class T>
void Ef21Muon<T>::initialize(Objective<T>& objective) {
  if (!same(objective.layers(), layers_))
    throw UsageError("initialize() was given an objective with other layers than the optimizer");
  refuse_failed();
  finish();
  objective.initialize(exec_, server_->W());
  server_->initialize(exec_);
  workers_->initialize(exec_);
  exec_.fence();
  std::fill(started_.begin(), started_.end(), 1);
  may_ = Next::first;
}

template <class T>
typename Objective<T>::ConstPoint Ef21Muon<T>::W() const {
  finish();
  return {server_->W().begin(), server_->W().end()};
}

template <class T>
void Ef21Muon<T>::agree_on(std::size_t count, Bring bring) {
  brought_ = count;
  bring_ = std::move(bring);
}

template <class T>
template <class Ready, class Awaited>
void Ef21Muon<T>::wait_for(Phase phase, Ready&& ready, Awaited const& awaited) const {
  exchange_->poll();
  if (ready()) return;
  InPhase const in(timer_, phase);
  for (Patience patience(awaited); !ready(); patience.pause()) exchange_->poll();
}

// A rank that has a message to wait for knows more: it gives up first.
template <class T>
void Ef21Muon<T>::wait_for_agreement(std::uint64_t step) {
  exchange_->poll();
  if (agreed()) return;
  InPhase const in(timer_, Phase::agree);
  auto const awaited = [step] { return "step " + std::to_string(step) + ", the losses and votes of all ranks"; };
  for (Patience patience(awaited, 1.25); !agreed(); patience.pause()) exchange_->poll();
}

template <class T>
void Ef21Muon<T>::arrive(int layer, std::uint64_t before) const {
  int const b = exchange_->plan().bundle_of(layer);
  if (!exchange_->owes_down(b, before)) return;
  wait_for(
      Phase::wait_downlink, [&] { return exchange_->down_arrived(b); }, [&] { return exchange_->missing_down(b); });
  InPhase const in(timer_, Phase::follow);
  for (int const i : exchange_->plan().bundle(b).layers) server_->follow(exec_, i, *staging_, *exchange_);
  exchange_->close_down(b);
  followed_.push_back(b);
}

template <class T>
void Ef21Muon<T>::arrive_all(std::uint64_t before) const {
  for (int i = 0; i < exchange_->plan().layers(); ++i) arrive(i, before);
}

// To be called after a fence.
template <class T>
void Ef21Muon<T>::release_followed() const {
  for (int const b : followed_) exchange_->release_down(b);
  followed_.clear();
}

template <class T>
void Ef21Muon<T>::finish() const {
  if (may_ == Next::failed) return;  // what is missing will not come
  arrive_all(next_);
  if (!followed_.empty()) {
    exec_.fence();
    release_followed();
  }
  exchange_->flush();
}

template <class T>
void Ef21Muon<T>::compute(Objective<T>& objective, std::uint64_t step, bool dense, Measure* m) {
  auto const& plan = exchange_->plan();
  auto const here = plan.workers_at(comm_.rank()), micros = plan.micros_at(comm_.rank());
  bool backward = false;
  auto const begin_backward = [this, &backward] {
    if (!backward) timer_.change(Phase::backward);
    backward = true;
  };
  objective.watch_backward(begin_backward);
  std::size_t k = 0;
  for (int j = here.first; j < here.end(); ++j)
    for (int b = micros.first; b < micros.end(); ++b) {
      Share const share{j, step, b};
      InPhase const in(timer_, Phase::forward);
      backward = false;
      check_.begin(share);
      objective.gradient(exec_, Scalar<double, Space>(losses_.data() + k++), *model_, share,
                         [&](int layer, ConstMatrix<T, Space> const& gradient) {
                           begin_backward();
                           check_.take(layer, gradient.extent(0), gradient.extent(1), gradient.span_is_contiguous());
                           take_gradient(layer, share, dense, gradient, m);
                         });
      check_.end();
    }
  objective.watch_backward({});
  auto const joinable = [&](int b) { return !joined_[static_cast<std::size_t>(b)] && exchange_->sums_arrived(b); };
  auto const missing_sum = [&] {
    return exchange_->missing_sum(
        *std::find_if(to_join_.begin(), to_join_.end(), [&](int b) { return !joined_[static_cast<std::size_t>(b)]; }));
  };
  while (!join_sums(step, dense, m))
    wait_for(
        Phase::wait_sum, [&] { return std::any_of(to_join_.begin(), to_join_.end(), joinable); }, missing_sum);
  {
    InPhase const in(timer_, here.count > 0 ? Phase::backward : Phase::follow);  // on a device what is left of it
    Kokkos::deep_copy(exec_, host_losses_, losses_);
    exec_.fence();
    read_motion(step);
  }
  release_followed();
  arrive_all(step);  // what the objective did not read
  if (!followed_.empty()) {
    exec_.fence();
    release_followed();
  }
}

template <class T>
void Ef21Muon<T>::take_gradient(int layer, Share const& share, bool dense, ConstMatrix<T, Space> const& gradient, Measure* m) {
  auto const& plan = exchange_->plan();
  if (plan.micro_batches() == 1) {
    workers_->round(exec_, layer, share.worker, share.step, dense, gradient, *staging_, *exchange_, m, timer_);
  } else {
    InPhase const in(timer_, Phase::sum);
    if (!micro_sums_->add(exec_, layer, share.micro, gradient)) return;
    if (plan.home_of(layer, share.worker) != comm_.rank()) {
      micro_sums_->send(exec_, layer);
    } else if (exchange_->senders().empty()) {
      auto const whole = micro_sums_->finish(exec_, layer);
      workers_->round(exec_, layer, share.worker, share.step, dense, whole, *staging_, *exchange_, m, timer_);
    } else {
      ++summed_[static_cast<std::size_t>(plan.bundle_of(layer))];
      exchange_->poll();
      join_sums(share.step, dense, m);
      return;
    }
  }
  // Encoding has fenced, and so has sending sums, but for device messages whose bundle lacks layers still. There the device may
  // yet read a downlink that is released here. Nothing overwrites it: its bundle's next one comes after this rank's message of
  // the bundle, and that one leaves behind a fence.
  release_followed();
  exchange_->poll();
}

// Joins what has arrived; true when nothing is left.
template <class T>
bool Ef21Muon<T>::join_sums(std::uint64_t step, bool dense, Measure* m) {
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
      auto const whole = micro_sums_->finish(exec_, i);
      workers_->round(exec_, i, worker, step, dense, whole, *staging_, *exchange_, m, timer_);
    }
    joined_[at] = true;
  }
  return all;
}

template <class T>
void Ef21Muon<T>::begin_agreement() {
  auto const& plan = exchange_->plan();
  auto const here = plan.workers_at(comm_.rank()), micros = plan.micros_at(comm_.rank());
  auto const shares = static_cast<std::size_t>(plan.workers()) * static_cast<std::size_t>(plan.micro_batches());
  agreement_.mine.assign(shares + 2 + brought_, 0.0);
  std::size_t k = 0;
  for (int j = here.first; j < here.end(); ++j)
    for (int b = micros.first; b < micros.end(); ++b)
      agreement_
          .mine[static_cast<std::size_t>(j) * static_cast<std::size_t>(plan.micro_batches()) + static_cast<std::size_t>(b)] =
          host_losses_(k++);
  agreement_.mine[shares] = count(&Ef21Muon::stood_still);
  agreement_.mine[shares + 1] = count(&Ef21Muon::turned);
  if (bring_) bring_(std::span<double>(agreement_.mine).subspan(shares + 2));
  comm_.begin_sum(agreement_);
}

template <class T>
bool Ef21Muon<T>::agreed() {
  int done = 0;
  KAON_MPI(MPI_Test(&agreement_.request, &done, MPI_STATUS_IGNORE));
  return done != 0;
}

template <class T>
void Ef21Muon<T>::sum_losses(std::uint64_t step, StepReport& report) const {
  auto const& plan = exchange_->plan();
  auto from = agreement_.total.begin();
  report.worker_loss.assign(static_cast<std::size_t>(plan.workers()), 0.0);
  report.loss = 0;
  for (int j = 0; j < plan.workers(); ++j) {
    auto& loss = report.worker_loss[static_cast<std::size_t>(j)];
    for (int b = 0; b < plan.micro_batches(); ++b) loss += *from++;
    if (!std::isfinite(loss))
      throw NumericalError("the loss of worker " + std::to_string(j) + " is not finite at step " + std::to_string(step) + "; " +
                           largest_weight() + "; a smaller radius or a gentler compressor is the usual cure");
    report.loss += loss;
  }
  report.loss /= plan.workers();
  report.still = static_cast<int>(*from++);
  refuse_turned(step, static_cast<int>(*from++));
  report.agreed.assign(from, agreement_.total.end());
}

template <class T>
void Ef21Muon<T>::serve(std::uint64_t step, bool dense, double multiplier, Measure* m) {
  std::fill(served_.begin(), served_.end(), false);
  auto const next = [&] {
    for (int const b : to_serve_)
      if (!served_[static_cast<std::size_t>(b)] && exchange_->arrived(b)) return b;
    return -1;
  };
  StepReport losses;
  bool known = false;
  for (std::size_t left = to_serve_.size(); left > 0; --left) {
    wait_for(
        Phase::wait_uplink, [&] { return next() >= 0; },
        [&] {
          return exchange_->missing_up(
              *std::find_if(to_serve_.begin(), to_serve_.end(), [&](int b) { return !served_[static_cast<std::size_t>(b)]; }));
        });
    if (!known && agreed()) {  // a NaN that is known of by now need not reach X
      sum_losses(step, losses);
      known = true;
    }
    int const b = next();
    try {
      for (int const i : exchange_->plan().bundle(b).layers)
        server_->round(exec_, i, step, dense, multiplier, *staging_, *exchange_, m, timer_);
    } catch (NumericalError const&) {  // the losses tell the cause better, and to every rank
      wait_for_agreement(step);
      sum_losses(step, losses);
      throw;
    }
    served_[static_cast<std::size_t>(b)] = true;
  }
}

template <class T>
StepReport Ef21Muon<T>::step(Objective<T>& objective, std::uint64_t step, double multiplier, bool measure) {
  check_step(objective, step, multiplier);
  may_ = Next::failed;  // until it has not
  auto const before = timer_.times();
  bool const dense = step == 0 && optimizer_.start == Start::dense;
  Measure* const m = measure ? measure_.get() : nullptr;
  if (m) m->clear(exec_);
  std::fill(joined_.begin(), joined_.end(), false);
  std::fill(summed_.begin(), summed_.end(), 0);
  staging_->fit(exec_, dense ? dense_payload_ : payload_);
  exchange_->begin_step(step, dense);
  step_ = step;
  next_ = step + 1;
  compute(objective, step, dense, m);
  begin_agreement();
  serve(step, dense, multiplier, m);
  wait_for_agreement(step);
  StepReport report;
  sum_losses(step, report);
  may_ = Next::later;
  if (m) {
    finish();  // a message that is missing is better reported by its name than by the collective operation that follows
    report.layers = m->reports(exec_, comm_);
    if (auto const what = m->beyond_range(layers_); !what.empty())
      throw NumericalError("step " + std::to_string(step) + ": " + what);
  }
  report.times = timer_.times() - before;
  return report;
}

template <class T>
void Ef21Muon<T>::register_state(Registry& registry) const {
  auto const first = registry.size();
  server_->register_state(registry);
  workers_->register_state(registry);
  for (auto f = registry.begin() + static_cast<std::ptrdiff_t>(first); f != registry.end(); ++f) {
    f->get = [this, get = std::move(f->get)](void* out) {
      finish();
      get(out);
    };
    f->get_rows = [this, get = std::move(f->get_rows)](std::uint64_t from, std::uint64_t count, void* out) {
      finish();
      get(from, count, out);
    };
    f->set = [this, path = f->path, set = std::move(f->set)](void const* in) {
      refuse_failed();
      finish();
      set(in);
      may_ = Next::any;
      for (std::size_t i = 0; i < layers_.size(); ++i)
        if (path == "/server/W/" + layers_[i].name) started_[i] = 1;
    };
  }
}

template class Ef21Muon<float>;
template class Ef21Muon<double>;

}  // namespace kaon
