#include <kaon/exchange/plan.hpp>

#include <kaon/core/error.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace kaon {

Plan::Plan(int ranks, int workers, std::vector<double> const& layer_costs)
    : ranks_(ranks), workers_(workers), owner_(layer_costs.size()) {
  require(ranks >= 1 && workers >= 1, "Plan: needs at least one rank and one worker");
  std::vector<std::size_t> order(layer_costs.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return layer_costs[a] > layer_costs[b]; });
  std::vector<double> load(static_cast<std::size_t>(ranks), 0.0);
  for (auto layer : order) {
    auto const lightest = std::min_element(load.begin(), load.end());
    *lightest += layer_costs[layer];
    owner_[layer] = static_cast<int>(lightest - load.begin());
  }
  double const total = std::accumulate(load.begin(), load.end(), 0.0);
  if (total > 0) imbalance_ = *std::max_element(load.begin(), load.end()) * ranks / total;
}

int Plan::first_worker(int rank) const {
  int const hosts = std::min(ranks_, workers_);
  if (rank >= hosts) return workers_;
  return static_cast<int>(static_cast<std::int64_t>(rank) * workers_ / hosts);
}

int Plan::host_of(int worker) const {
  require(worker >= 0 && worker < workers_, "Plan: no such worker");
  int rank = 0;
  while (first_worker(rank + 1) <= worker) ++rank;
  return rank;
}

}  // namespace kaon
