// The cost model fed with this machine's measurements. What it prints is a prediction and says so.
#include "exchange.hpp"

#include <kaon/clock/work_clock.hpp>
#include <kaon/core/error.hpp>
#include <kaon/cost/cost_model.hpp>
#include <kaon/cost/layer_costs.hpp>
#include <kaon/cost/link_speed.hpp>
#include <kaon/method/set.hpp>
#include <kaon/run/start/assemble.hpp>
#include <kaon/run/start/threads.hpp>

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace kaon::bench {

namespace {

struct Gradient {
  double forward = 0, backward = 0;
};

// Of one worker, the median of some.
template <class T>
Gradient time_gradient(Objective<T>& objective) {
  Space const exec;
  typename Objective<T>::Point X;
  for (auto const& l : objective.layers())
    X.emplace_back("kaon::bench::X", static_cast<std::size_t>(l.rows), static_cast<std::size_t>(l.cols));
  objective.initialize(exec, X);
  Scalar<double, Space> const loss("kaon::bench::loss");
  double turn = 0;
  objective.watch_backward([&] {
    exec.fence();
    turn = work_seconds();
  });
  constexpr std::size_t warm = 2, counted = 9;
  std::vector<Gradient> times;
  for (std::uint64_t k = 0; k < warm + counted; ++k) {
    Gradient g;
    for (int b = 0; b < objective.micro_batches(); ++b) {
      double const begin = work_seconds();
      turn = begin;
      objective.gradient(exec, loss, {X.begin(), X.end()}, {0, k, b}, [](int, ConstMatrix<T, Space> const&) {});
      exec.fence();
      g.forward += turn - begin;
      g.backward += work_seconds() - turn;
    }
    if (k >= warm) times.push_back(g);
  }
  objective.watch_backward({});
  auto const middle = times.begin() + counted / 2;
  std::nth_element(times.begin(), middle, times.end(),
                   [](auto const& a, auto const& b) { return a.forward + a.backward < b.forward + b.backward; });
  return *middle;
}

// What goes into the model, so that a prediction can be compared with another machine's or with a run's phases.
void print_inputs(char const* messages, StepCost const& c, int workers) {
  LayerCost sum{};
  SecondRound second{};
  double up = 0, down = 0;
  for (auto const& l : c.layers) {
    sum.compress_up += l.compress_up, sum.aggregate += l.aggregate, sum.lmo += l.lmo;
    sum.compress_down += l.compress_down, sum.follow += l.follow;
    up += static_cast<double>(l.up_bytes + l.second.up_bytes), down += static_cast<double>(l.down_bytes + l.second.down_bytes);
    auto const& s = l.second;
    second.answer += s.answer, second.aggregate += s.aggregate, second.serve += s.serve;
    second.follow += s.follow, second.keep += s.keep, second.up_bytes += s.up_bytes;
  }
  std::printf(
      "inputs, %s, all layers, ms: forward %.3f, backward %.3f, compress up %.3f a worker; aggregate %.3f a packet (%d), oracles "
      "%.3f, compress down %.3f; follow %.3f; bytes up %.0f a worker, down %.0f a copy\n",
      messages, 1e3 * c.forward, 1e3 * c.backward, 1e3 * sum.compress_up, 1e3 * sum.aggregate, workers, 1e3 * sum.lmo,
      1e3 * sum.compress_down, 1e3 * sum.follow, up, down);
  if (second.there())
    std::printf("second round, ms: answer %.3f a worker, aggregate %.3f a packet, serve %.3f, follow %.3f, keep %.3f a worker\n",
                1e3 * second.answer, 1e3 * second.aggregate, 1e3 * second.serve, 1e3 * second.follow, 1e3 * second.keep);
}

void print_row(char const* messages, Topology topology, int ranks, int workers, StepTime const& t, double uncompressed) {
  std::printf("| %5d | %5d | %-10s | %-12s | %9.4f | %9.4f | %9.4f | %9.4f | %9.4f | %9.4f |", ranks, workers,
              name_of(topology).c_str(), messages, t.seconds, t.compute, t.server, t.uplink, t.downlink, t.exposed());
  if (uncompressed > 0) std::printf(" %6.2fx |", uncompressed / t.seconds);
  std::printf("\n");
}

template <class T>
void model(Communicator const& comm, Deck const& deck, ModelOptions const& o) {
  auto const objective = make_objective<T>(deck);
  auto const plan = layer_settings(deck, objective->layers());
  auto const optimizer = optimizer_settings(deck);
  auto plain = plan.settings;
  for (auto& s : plain) s.uplink = s.downlink = "identity";
  LinkReport link;
  if (comm.size() > 1 && !(o.bandwidth && o.latency)) link = measure_link(comm);
  if (o.bandwidth) link.both_ways = *o.bandwidth;
  if (o.latency) link.latency = *o.latency;
  if (comm.size() == 1 && !o.bandwidth) throw UsageError("one rank has no link to measure: start two or more, or give --mbit");
  if (o.measured && deck.text("exchange.topology") == "auto")
    throw UsageError(
        "--measured and --check need to know the run's topology; cure: --set exchange.topology=sharded, or whichever it was");
  auto const host = host_share(comm);
  StepCost compressed, uncompressed;
  if (comm.rank() == 0) {
    Space const exec;
    auto const g = time_gradient<T>(*objective);
    compressed.forward = uncompressed.forward = g.forward;
    compressed.backward = uncompressed.backward = g.backward;
    compressed.layers = measure_layers<T>(exec, objective->layers(), plan.settings);
    uncompressed.layers = measure_layers<T>(exec, objective->layers(), plain);
  }
  auto const& job_nodes = comm.nodes();
  comm.barrier();
  if (comm.rank() != 0) return;

  auto const loads = MethodSet<T>(objective->layers(), plan.settings, optimizer).loads(),
             plain_loads = MethodSet<T>(objective->layers(), plain, optimizer).loads();
  double const threads = static_cast<double>(Kokkos::DefaultHostExecutionSpace().concurrency());
  double const load = o.ranks.empty() ? host.ranks * threads / host.cores : 0.0;
  std::printf("inputs, link: %.1f Mbit/s both ways%s, latency %.1f us%s; %s\n", 8e-6 * link.both_ways,
              o.bandwidth ? " (given)" : "", 1e6 * link.latency, o.latency ? " (given)" : "",
              load > 1 ? ("ranks to a core: " + std::to_string(load)).c_str() : "a core for every rank");
  print_inputs("compressed", compressed, optimizer.workers);
  print_inputs("uncompressed", uncompressed, optimizer.workers);
  std::printf("MODEL, not measured: seconds a step; %s\n",
              o.ranks.empty() ? "the job's ranks share its cores" : "every rank a host of its own, one worker each");
  std::printf(
      "| ranks | workers | topology | messages | s/step | computing | of it server | sending up | sending down "
      "| exposed | compressed is faster |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  auto const counts = o.ranks.empty() ? std::vector<int>{comm.size()} : o.ranks;
  for (int const ranks : counts) {
    int const workers = o.ranks.empty() ? optimizer.workers : ranks;
    compressed.load = uncompressed.load = load;
    auto nodes = job_nodes;
    if (!o.ranks.empty()) {
      nodes.resize(static_cast<std::size_t>(ranks));
      std::iota(nodes.begin(), nodes.end(), 0);
    }
    for (auto const topology : all_topologies) {
      PlanSettings const where{topology, nodes, workers, objective->micro_batches(), optimizer.bundle_bytes, optimizer.fan_out};
      auto const with = predict_step(Plan(where, loads), link.speed(), compressed);
      auto const without = predict_step(Plan(where, plain_loads), link.speed(), uncompressed);
      print_row("compressed", topology, ranks, workers, with, without.seconds);
      print_row("uncompressed", topology, ranks, workers, without, 0);
      if (o.measured && deck.text("exchange.topology") == name_of(topology))
        std::printf("predicted/measured: %.4f / %.4f s = %.2f\n", with.seconds, *o.measured, with.seconds / *o.measured);
    }
  }
}

}  // namespace

void print_model(Communicator const& comm, ModelOptions const& options) {
  auto const deck = Deck::from_file(options.deck, options.overrides);
  deck.text("run.precision") == "double" ? model<double>(comm, deck, options) : model<float>(comm, deck, options);
}

}  // namespace kaon::bench
