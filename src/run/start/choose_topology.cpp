#include <kaon/run/start/choose_topology.hpp>

#include <kaon/clock/work_clock.hpp>
#include <kaon/cost/layer_costs.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/method/set.hpp>
#include <kaon/run/start/threads.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon {

namespace {

// Flop a second of this rank's products.
template <class T>
double product_speed(Space const& exec) {
  constexpr std::size_t n = 512;
  Matrix<T, Space> const A("kaon::run::A", n, n), B("kaon::run::B", n, n), C("kaon::run::C", n, n);
  double best = 0;
  for (int k = 0; k < 4; ++k) {
    double const begin = work_seconds();
    gemm<T>(exec, C, Op::none, A, Op::none, B);
    exec.fence();
    best = std::max(best, 2.0 * n * n * n / (work_seconds() - begin));
  }
  return best;
}

// Rank 0's numbers for everybody.
void share(Communicator const& comm, StepCost& cost) {
  comm.broadcast(&cost.forward, sizeof cost.forward, 0);
  comm.broadcast(&cost.backward, sizeof cost.backward, 0);
  comm.broadcast(cost.layers.data(), cost.layers.size() * sizeof(LayerCost), 0);
}

template <class T>
TopologyInputs measure(Communicator const& comm, Objective<T> const& objective, std::vector<LayerSettings> const& settings,
                       OptimizerSettings const& optimizer) {
  Space const exec;
  TopologyInputs in;
  in.cost.layers.resize(objective.layers().size());
  if (comm.rank() == 0) {
    in.cost.layers = measure_layers<T>(exec, objective.layers(), settings, 1, optimizer);
    double weights = 0;
    for (auto const& l : in.cost.layers) weights += l.weight;
    double const flop = 2 * weights * static_cast<double>(objective.samples_per_gradient());
    in.cost.forward = flop / product_speed<T>(exec);
    in.cost.backward = 2 * in.cost.forward;
  }
  share(comm, in.cost);
  in.link = measure_link(comm, {50, 0.02, std::size_t(4) << 20});
  auto const host = host_share(comm);
  double const threads = static_cast<double>(Kokkos::DefaultHostExecutionSpace().concurrency());
  in.cost.load = comm.max(host.ranks * threads / host.cores);
  in.loads = MethodSet<T>(objective.layers(), settings, optimizer).loads();
  return in;
}

// Gradients of the busiest rank in a step, in workers.
double most_gradients(Plan const& plan) {
  int most = 0;
  for (int r = 0; r < plan.ranks(); ++r) most = std::max(most, plan.terms_at(r).count);
  return static_cast<double>(most) / plan.micro_batches();
}

// From the step that ends a round of `steps` to the mean over the round, whose other steps have no messages.
void spread_over_round(StepTime& t, double gradients, StepCost const& cost, double steps) {
  double inner = cost.forward + cost.backward;
  for (auto const& l : cost.layers) inner += l.walk;
  inner *= gradients * std::max(cost.load, 1.0) * (steps - 1);
  t.seconds += inner;
  t.compute += inner;
  for (double* part : {&t.seconds, &t.compute, &t.server, &t.uplink, &t.downlink, &t.link}) *part /= steps;
}

}  // namespace

std::array<StepTime, all_topologies.size()> estimate_topologies(TopologyInputs const& in, OptimizerSettings const& optimizer,
                                                                std::vector<int> const& nodes, int micro_batches) {
  std::array<StepTime, all_topologies.size()> out;
  for (std::size_t t = 0; t < out.size(); ++t) {
    Plan const plan({all_topologies[t], nodes, optimizer.workers, micro_batches, optimizer.bundle_bytes, optimizer.fan_out},
                    in.loads);
    out[t] = predict_step(plan, in.link.speed(), in.cost);
    if (optimizer.local.on())
      spread_over_round(out[t], most_gradients(plan), in.cost, static_cast<double>(optimizer.local.steps));
  }
  return out;
}

Topology fastest(std::array<StepTime, all_topologies.size()> const& estimates) {
  auto const best =
      std::min_element(estimates.begin(), estimates.end(), [](auto const& a, auto const& b) { return a.seconds < b.seconds; });
  return all_topologies[static_cast<std::size_t>(best - estimates.begin())];
}

template <class T>
Topology choose_topology(Deck const& deck, Communicator const& comm, Log const& log, Objective<T> const& objective,
                         std::vector<LayerSettings> const& settings, OptimizerSettings const& optimizer) {
  auto const name = deck.text("exchange.topology");
  if (name != "auto") return topology_named(name);
  double const begin = steady_seconds();
  auto const in = measure<T>(comm, objective, settings, optimizer);
  auto const times = estimate_topologies(in, optimizer, comm.nodes(), objective.micro_batches());
  auto chosen = fastest(times);
  comm.broadcast(&chosen, sizeof chosen, 0);
  log.line(fmt::format("topology auto: link {:.0f} Mbit/s both ways, latency {:.0f} us; measured in {:.1f} s",
                       8e-6 * in.link.both_ways, 1e6 * in.link.latency, steady_seconds() - begin));
  for (std::size_t t = 0; t < times.size(); ++t)
    log.line(fmt::format("  {:<10} about {:.4f} s a step (model): computing {:.4f}, exposed {:.4f}{}", name_of(all_topologies[t]),
                         times[t].seconds, times[t].compute, times[t].exposed(),
                         all_topologies[t] == chosen ? "  <- taken" : ""));
  return chosen;
}

template Topology choose_topology<float>(Deck const&, Communicator const&, Log const&, Objective<float> const&,
                                         std::vector<LayerSettings> const&, OptimizerSettings const&);
template Topology choose_topology<double>(Deck const&, Communicator const&, Log const&, Objective<double> const&,
                                          std::vector<LayerSettings> const&, OptimizerSettings const&);

}  // namespace kaon
