// What an engine is made of, before its first step.
#include <kaon/core/error.hpp>
#include <kaon/method/check_settings.hpp>
#include <kaon/step/engine.hpp>

#include <algorithm>
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
Engine<T>::Engine(Space const& exec, Communicator const& comm, std::vector<Layer> layers, std::vector<LayerSettings> settings,
                  OptimizerSettings const& optimizer, int micro_batches)
    : exec_(exec),
      comm_(comm),
      layers_(std::move(layers)),
      settings_(std::move(settings)),
      optimizer_(optimizer),
      check_(layers_),
      agreement_(comm, static_cast<std::size_t>(std::max(optimizer.workers, 0)) *
                           static_cast<std::size_t>(std::max(micro_batches, 0)) *
                           std::max<std::size_t>(optimizer.local.steps, 1)),
      started_(layers_.size()),
      exceptions_(std::uncaught_exceptions()) {
  on_every_rank(comm, [&] { check_settings(layers_, settings_, optimizer, micro_batches); });
  if (!comm.same_everywhere(settings_hash(layers_, settings_, optimizer, micro_batches)))
    throw UsageError("the ranks were given different layers or settings");
  on_every_rank(comm, [&] { methods_ = std::make_unique<MethodSet<T>>(layers_, settings_, optimizer_); });
  make_exchange(micro_batches);
  auto const& plan = exchange_->plan();
  int const me = comm.rank();
  std::int64_t largest = 0;
  std::vector<Figures const*> figures;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto const& l = layers_[i];
    largest = std::max(largest, static_cast<std::int64_t>(l.rows) * l.cols);
    W_.emplace_back("kaon::step::W", static_cast<std::size_t>(l.rows), static_cast<std::size_t>(l.cols));
    figures.push_back(&of(static_cast<int>(i)).figures());
    bool const sums_all = ordered_[i] && (plan.workers() > 1 || plan.ranks() > 1);
    alone_.push_back(!sums_all && plan.micro_batches() == 1);
  }
  on_every_rank(comm_, [&] {
    for (auto const& m : methods_->all()) m->place(plan, me, W_);  // the larger tools, where the plan wants them
  });
  measure_ = std::make_unique<Measure>(std::move(figures), optimizer.workers, largest);
  sums_ = std::make_unique<GradientSums<T>>(layers_, *exchange_, alone_);
  if (optimizer.clip > 0) {
    clip_ = std::make_unique<Clip<T>>(comm, layers_, plan, optimizer.clip, optimizer.local.on());
    std::vector<bool> served;
    for (int i = 0; i < plan.layers(); ++i) {
      packed_.push_back(methods_->takes_mean(i));
      served.push_back(packed_.back() && plan.serves(me, i));
    }
    packets_ = std::make_unique<DensePackets<T>>(layers_, *exchange_, served);
  }

  auto const here = plan.workers_at(me);
  auto const micros = plan.micros_at(me);
  for (int j = here.first; j < here.end(); ++j)
    for (int b = micros.first; b < micros.end(); ++b) shares_.push_back({j, 0, b});
  auto const shares = shares_.size();
  given_losses_.resize(shares);
  auto const told = layers_.size() * static_cast<std::size_t>(Motion::count);
  losses_ = Vector<double, Space>("kaon::step::loss", shares + told);
  still_.resize(layers_.size());
  turned_.resize(layers_.size());
  context_.reset(new StepContext<T>{.exec = exec_,
                                    .staging = *staging_,
                                    .exchange = *exchange_,
                                    .timer = timer_,
                                    .W = W_,
                                    .motion = Vector<double, Space>(losses_.data() + shares, told)});
  host_losses_ = Kokkos::create_mirror_view(losses_);
  auto const bundles = plan.bundles().size();
  for (int b = static_cast<int>(bundles) - 1; b >= 0; --b) {
    int const layer = plan.bundle(b).layers.front();
    if (!ordered(layer) && !exchange_->senders(layer).empty() && exchange_->joins_sums(layer)) to_join_.push_back(b);
  }
  if (optimizer_.local.on())
    for (auto const& b : plan.bundles()) walks_.insert(walks_.end(), b.layers.begin(), b.layers.end());
  untold_.reserve(std::max<std::size_t>(optimizer_.local.steps, 1));
  kept_losses_.resize(untold_.capacity() * static_cast<std::size_t>(plan.workers() * plan.micro_batches()));
  served_.resize(bundles);
  joined_.resize(bundles);
  summed_.resize(bundles);
  followed_.reserve(2 * bundles);
  list_duties();
  model_ = std::make_unique<Model<T>>(std::vector<ConstMatrix<T, Space>>(W_.begin(), W_.end()),
                                      [this](int layer) { arrive(layer, step_); });
}

template <class T>
void Engine<T>::make_exchange(int micro_batches) {
  PlanSettings where;
  where.topology = optimizer_.topology;
  where.nodes = comm_.nodes();
  where.workers = optimizer_.workers;
  where.micro_batches = micro_batches;
  where.bundle_bytes = optimizer_.bundle_bytes;
  where.fan_out = optimizer_.fan_out;
  on_every_rank(comm_, [&] {
    auto flows = methods_->flows();
    for (auto const& f : flows) {
      ordered_.push_back(f.up == Up::ordered_sum);
      staged_.push_back(f.second.there());
      payload_ = std::max({payload_, f.up_bound, f.down_bound, f.second.up_bound, f.second.down_bound});
      dense_payload_ = std::max({dense_payload_, payload_, f.dense_bound});
    }
    exchange_ = std::make_unique<Exchange>(comm_, Plan(where, methods_->loads()), std::move(flows), optimizer_.messages, exec_);
  });
  staging_ = std::make_unique<Staging<T>>(layers_, payload_, optimizer_.messages);
}

#define KAON_SETUP(T)                                                                                           \
  template Engine<T>::Engine(Space const&, Communicator const&, std::vector<Layer>, std::vector<LayerSettings>, \
                             OptimizerSettings const&, int);                                                    \
  template void Engine<T>::make_exchange(int);
KAON_SETUP(float)
KAON_SETUP(double)
#undef KAON_SETUP

}  // namespace kaon
