#include <kaon/plan/plan.hpp>

#include <kaon/core/error.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>

namespace kaon {

namespace {

PlanSettings simple(int ranks, int workers) {
  require(ranks >= 1, "Plan: needs at least one rank and one worker");
  PlanSettings s;
  s.nodes.assign(static_cast<std::size_t>(ranks), 0);
  s.workers = workers;
  return s;
}

std::vector<LayerLoad> loads_of(std::vector<double> const& costs) {
  std::vector<LayerLoad> loads;
  for (double const c : costs) loads.push_back({c, 0});
  return loads;
}

// The k-th of `parts` nearly equal contiguous pieces of [0, total).
Range piece(int k, int parts, int total) {
  auto const cut = [&](int i) { return static_cast<int>(static_cast<std::int64_t>(i) * total / parts); };
  return {cut(k), cut(k + 1) - cut(k)};
}

// Ranks node by node, nodes in the order of their lowest rank: neighbours in this list share memory where they can.
std::vector<int> by_node(std::vector<int> const& nodes) {
  std::map<int, int> first;
  for (std::size_t r = 0; r < nodes.size(); ++r) first.emplace(nodes[r], static_cast<int>(r));
  std::vector<int> order(nodes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return first[nodes[static_cast<std::size_t>(a)]] < first[nodes[static_cast<std::size_t>(b)]];
  });
  return order;
}

}  // namespace

Plan::Plan(int ranks, int workers, std::vector<double> const& layer_costs)
    : Plan(simple(ranks, workers), loads_of(layer_costs)) {}

Plan::Plan(PlanSettings const& settings, std::vector<LayerLoad> const& loads) : settings_(settings) {
  require(ranks() >= 1 && workers() >= 1 && micro_batches() >= 1, "Plan: needs at least one rank and one worker");
  place_workers();
  for (auto const& group : groups_)
    for (int const rank : group)
      if (computing_.empty() || computing_.back() != rank) computing_.push_back(rank);
  bundle_layers(loads);
  assign_owners();
  assign_homes(loads);
}

void Plan::place_workers() {
  at_.resize(static_cast<std::size_t>(ranks()));
  groups_.resize(static_cast<std::size_t>(workers()));
  auto seats = by_node(settings_.nodes);
  if (topology() == Topology::dedicated && ranks() > 1) std::erase(seats, 0);
  int const n = workers(), here = static_cast<int>(seats.size());
  for (auto& at : at_) at = {{n, 0}, {0, 0}};
  if (here <= n) {
    for (int s = 0; s < here; ++s) {
      int const rank = seats[static_cast<std::size_t>(s)];
      auto& at = at_[static_cast<std::size_t>(rank)];
      at = {piece(s, here, n), {0, micro_batches()}};
      for (int j = at.workers.first; j < at.workers.end(); ++j) groups_[static_cast<std::size_t>(j)] = {rank};
    }
    return;
  }
  for (int j = 0; j < n; ++j) {
    auto const group = piece(j, n, here);
    int const active = std::min(group.count, micro_batches());
    for (int q = 0; q < active; ++q) {
      int const rank = seats[static_cast<std::size_t>(group.first + q)];
      at_[static_cast<std::size_t>(rank)] = {{j, 1}, piece(q, active, micro_batches())};
      groups_[static_cast<std::size_t>(j)].push_back(rank);
    }
  }
}

// Neighbours in backward order, as long as the message stays small and, where owners share the oracles' work, no bundle has more
// than a quarter of a rank's fair part of it: else bundles would unbalance what longest-processing-time-first balances.
void Plan::bundle_layers(std::vector<LayerLoad> const& loads) {
  double total = 0;
  for (auto const& l : loads) total += l.cost;
  double const most = topology() == Topology::sharded && ranks() > 1 ? total / (4.0 * ranks()) : total;
  bundle_of_.resize(loads.size());
  std::size_t bytes = 0;
  for (std::size_t i = loads.size(); i-- > 0;) {
    bool const joins = !bundles_.empty() && settings_.bundle_bytes > 0 &&
                       loads[i].kind == loads[static_cast<std::size_t>(bundles_.back().layers.back())].kind &&
                       bytes + loads[i].bytes <= settings_.bundle_bytes && bundles_.back().cost + loads[i].cost <= most;
    if (!joins) {
      bundles_.emplace_back();
      bytes = 0;
    }
    bundles_.back().layers.push_back(static_cast<int>(i));
    bundles_.back().cost += loads[i].cost;
    bytes += loads[i].bytes;
    bundle_of_[i] = static_cast<int>(bundles_.size()) - 1;
  }
}

// Longest processing time first: the costliest bundle to the least loaded rank, ties by index (of the lowest layer, of the rank).
void Plan::assign_owners() {
  if (topology() == Topology::dedicated) return;  // rank 0, as bundles are made
  std::vector<std::size_t> order(bundles_.size());
  std::iota(order.rbegin(), order.rend(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return bundles_[a].cost > bundles_[b].cost; });
  std::vector<double> load(static_cast<std::size_t>(ranks()), 0.0);
  for (auto const b : order) {
    auto const lightest = std::min_element(load.begin(), load.end());
    *lightest += bundles_[b].cost;
    bundles_[b].owner = static_cast<int>(lightest - load.begin());
  }
  double const total = std::accumulate(load.begin(), load.end(), 0.0);
  if (total > 0 && topology() == Topology::sharded) imbalance_ = *std::max_element(load.begin(), load.end()) * ranks() / total;
}

// In a group the owner is the home of its own bundles (its packet then stays on the rank); the others go by size.
void Plan::assign_homes(std::vector<LayerLoad> const& loads) {
  std::vector<double> bytes;
  for (auto const& b : bundles_) {
    double sum = 0;
    for (int const i : b.layers) sum += 1 + static_cast<double>(loads[static_cast<std::size_t>(i)].bytes);
    bytes.push_back(sum);
  }
  std::vector<std::size_t> order(bundles_.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return bytes[a] > bytes[b]; });
  home_.assign(bundles_.size(), std::vector<int>(static_cast<std::size_t>(workers()), 0));
  for (int j = 0; j < workers(); ++j) {
    auto const& group = group_of(j);
    std::vector<double> load(group.size(), 0.0);
    auto const give = [&](std::size_t b, std::size_t member) {
      load[member] += bytes[b];
      home_[b][static_cast<std::size_t>(j)] = group[member];
    };
    std::vector<bool> given(bundles_.size(), false);
    for (auto const b : order) {
      auto const owner = std::find(group.begin(), group.end(), bundles_[b].owner);
      if (topology() == Topology::replicated || owner == group.end()) continue;
      give(b, static_cast<std::size_t>(owner - group.begin()));
      given[b] = true;
    }
    for (auto const b : order)
      if (!given[b]) give(b, static_cast<std::size_t>(std::min_element(load.begin(), load.end()) - load.begin()));
  }
}

Range Plan::leads_at(int rank) const {
  auto const& at = at_[static_cast<std::size_t>(rank)];
  return at.workers.count > 0 && at.micros.first == 0 ? at.workers : Range{workers(), 0};
}

Range Plan::terms_at(int rank) const {
  auto const& at = at_[static_cast<std::size_t>(rank)];
  if (at.workers.count == 0) return {workers() * micro_batches(), 0};
  return {at.workers.first * micro_batches() + at.micros.first, (at.workers.count - 1) * micro_batches() + at.micros.count};
}

int Plan::home_of(int layer, int worker) const {
  require(worker >= 0 && worker < workers(), "Plan: no such worker");
  return home_[static_cast<std::size_t>(bundle_of(layer))][static_cast<std::size_t>(worker)];
}

Range Plan::homes_at(int rank, int layer) const {
  auto const here = workers_at(rank);
  if (here.count == 0 || home_of(layer, here.first) == rank) return here;
  return {workers(), 0};
}

// A heap of the ranks with the owner at its top: fan_out·v + 1 … are below v. Its other places begin, for each owner, so many
// ranks further on as have anything below them, so that no rank sends on more of all owners' downlinks than its part.
namespace {

struct Heap {
  std::int64_t all, owner, most;
  std::int64_t turn() const { return all > 2 ? owner * ((all - 2) / most) % (all - 1) : 0; }
  std::int64_t place_of(int rank) const {
    if (rank == owner) return 0;
    auto const behind = (rank - owner - 1 + all) % all;  // 0 … all − 2
    return 1 + (behind - turn() + all - 1) % (all - 1);
  }
  int rank_at(std::int64_t place) const {
    return static_cast<int>(place == 0 ? owner : (owner + 1 + (place - 1 + turn()) % (all - 1)) % all);
  }
};

}  // namespace

std::vector<int> Plan::down_children(int owner, int rank) const {
  Heap const heap{ranks(), owner, settings_.fan_out > 0 ? settings_.fan_out : std::max(ranks() - 1, 1)};
  std::vector<int> children;
  auto const v = heap.place_of(rank);
  for (auto c = heap.most * v + 1; c <= heap.most * (v + 1) && c < heap.all; ++c) children.push_back(heap.rank_at(c));
  return children;
}

int Plan::down_parent(int owner, int rank) const {
  require(rank != owner, "Plan: nobody sends an owner its own downlink");
  Heap const heap{ranks(), owner, settings_.fan_out > 0 ? settings_.fan_out : std::max(ranks() - 1, 1)};
  return heap.rank_at((heap.place_of(rank) - 1) / heap.most);
}

int Plan::groups() const {
  return static_cast<int>(std::count_if(groups_.begin(), groups_.end(), [](auto const& g) { return g.size() > 1; }));
}

int Plan::split_groups() const {
  auto const node = [&](int rank) { return settings_.nodes[static_cast<std::size_t>(rank)]; };
  return static_cast<int>(std::count_if(groups_.begin(), groups_.end(), [&](auto const& g) {
    return std::any_of(g.begin(), g.end(), [&](int rank) { return node(rank) != node(g.front()); });
  }));
}

}  // namespace kaon
