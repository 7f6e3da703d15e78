#include <kaon/optimizer/ef21_muon.hpp>

#include <kaon/core/error.hpp>

#include <chrono>
#include <cmath>

namespace kaon {

namespace {
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Region {
  explicit Region(char const* name) { Kokkos::Profiling::pushRegion(name); }
  ~Region() { Kokkos::Profiling::popRegion(); }
};
}  // namespace

template <class T>
Ef21Muon<T>::Ef21Muon(Space const& exec, Communicator const& comm, std::vector<Layer> layers, std::vector<LayerSettings> settings,
                      OptimizerSettings const& optimizer)
    : exec_(exec), comm_(comm), layers_(std::move(layers)), settings_(std::move(settings)), optimizer_(optimizer) {
  require(layers_.size() == settings_.size(), "Ef21Muon: one LayerSettings per layer");
  require(optimizer.workers >= 1, "Ef21Muon: at least one worker");
  std::vector<double> costs;
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    costs.push_back(lmo_cost(settings_[i].lmo, layers_[i].rows, layers_[i].cols));
    largest = std::max(largest, static_cast<std::int64_t>(layers_[i].rows) * layers_[i].cols);
  }
  Plan const plan(comm.size(), optimizer.workers, costs);
  std::vector<bool> owned;
  for (int i = 0; i < plan.layers(); ++i) owned.push_back(plan.owner_of(i) == comm.rank());
  tools_ = std::make_unique<Tools<T>>(layers_, settings_, owned);

  std::vector<Channel> channels;
  std::size_t payload_bound = 0;
  for (int i = 0; i < plan.layers(); ++i) {
    auto& up = tools_->uplink(i);
    auto& down = tools_->downlink(i);
    auto& dense = tools_->dense(i);
    Channel c{layers_[static_cast<std::size_t>(i)].name,
              encoding_of(up.spec()),
              encoding_of(down.spec()),
              encoding_of(dense.spec()),
              up.bytes_bound(),
              down.bytes_bound()};
    if (optimizer.start == Start::dense) c.up_bound = std::max(c.up_bound, dense.bytes_bound());
    payload_bound = std::max({payload_bound, c.up_bound, c.down_bound});
    channels.push_back(std::move(c));
  }
  exchange_ = std::make_unique<Exchange>(comm, plan, std::move(channels));
  staging_ = std::make_unique<Staging<T>>(layers_, payload_bound);
  int const first = plan.first_worker(comm.rank()), count = plan.worker_count(comm.rank());
  workers_ = std::make_unique<Workers<T>>(layers_, settings_, optimizer_, *tools_, first, count);
  server_ = std::make_unique<Server<T>>(layers_, settings_, optimizer_, *tools_, owned);
  measure_ = std::make_unique<Measure>(plan.layers(), optimizer.workers, largest);
  for (int j = 0; j < count; ++j) losses_.emplace_back("kaon::optimizer::loss");
}

template <class T>
void Ef21Muon<T>::initialize(Objective<T>& objective) {
  objective.initialize(exec_, server_->W());
  server_->initialize(exec_);
  workers_->initialize(exec_);
  exec_.fence();
}

template <class T>
typename Objective<T>::ConstPoint Ef21Muon<T>::W() const {
  return {server_->W().begin(), server_->W().end()};
}

template <class T>
StepReport Ef21Muon<T>::step(Objective<T>& objective, std::uint64_t step, double multiplier, bool measure) {
  StepReport report;
  bool const dense = step == 0 && optimizer_.start == Start::dense;
  auto const& plan = exchange_->plan();
  int const first = plan.first_worker(comm_.rank()), count = plan.worker_count(comm_.rank());
  Measure* const m = measure ? measure_.get() : nullptr;
  if (m) m->clear(exec_);
  exchange_->begin_step(step, dense);
  auto const model = W();

  double const start = now();
  for (int j = first; j < first + count; ++j) {
    Region const region("kaon::gradient");
    objective.gradient(exec_, losses_[static_cast<std::size_t>(j - first)], model, j, step,
                       [&](int layer, ConstMatrix<T, Space> const& gradient) {
                         Region const inner("kaon::uplink");
                         double const t = now();
                         workers_->round(exec_, layer, j, step, dense, gradient, *staging_, *exchange_, m);
                         report.times.uplink += now() - t;
                       });
  }
  exec_.fence();
  double const sent = now();
  report.times.gradient = sent - start - report.times.uplink;

  // Loss first: a NaN anywhere stops every rank before it reaches the state.
  report.worker_loss.assign(static_cast<std::size_t>(optimizer_.workers), 0.0);
  for (int j = first; j < first + count; ++j) {
    double loss = 0;
    Kokkos::deep_copy(loss, losses_[static_cast<std::size_t>(j - first)]);
    report.worker_loss[static_cast<std::size_t>(j)] = loss;
  }
  comm_.sum_each(report.worker_loss);
  for (std::size_t j = 0; j < report.worker_loss.size(); ++j) {
    if (!std::isfinite(report.worker_loss[j]))
      throw NumericalError("the loss of worker " + std::to_string(j) + " is not finite at step " + std::to_string(step) +
                           "; a smaller radius or a gentler compressor is the usual cure");
    report.loss += report.worker_loss[j];
  }
  report.loss /= optimizer_.workers;
  double const agreed = now();
  report.times.wait = agreed - sent;

  for (int i = plan.layers() - 1; i >= 0; --i) {
    if (!server_->owns(i)) continue;
    Region const region("kaon::server");
    server_->round(exec_, i, step, dense, multiplier, *staging_, *exchange_, m);
  }
  exec_.fence();
  double const served = now();
  report.times.server = served - agreed;
  for (int i = plan.layers() - 1; i >= 0; --i) {
    if (server_->owns(i)) continue;
    Region const region("kaon::downlink");
    server_->follow(exec_, i, *staging_, *exchange_);
  }
  exec_.fence();
  exchange_->end_step();
  report.times.downlink = now() - served;
  if (m) report.layers = m->reports(exec_, comm_);
  return report;
}

template <class T>
void Ef21Muon<T>::register_state(Registry& registry) const {
  server_->register_state(registry);
  workers_->register_state(registry);
}

template class Ef21Muon<float>;
template class Ef21Muon<double>;

}  // namespace kaon
