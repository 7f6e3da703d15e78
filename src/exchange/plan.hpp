#ifndef KAON_EXCHANGE_PLAN_HPP
#define KAON_EXCHANGE_PLAN_HPP

#include <vector>

namespace kaon {

/// Where things happen to run: which rank hosts which workers, which rank owns (plays the server for) which layer.
/// Nothing of it is part of the mathematics.
class Plan {
 public:
  /// Workers in contiguous blocks over ranks (ranks beyond the number of workers host none); layers by longest processing
  /// time first: the costliest layer to the least loaded rank, ties by index.
  Plan(int ranks, int workers, std::vector<double> const& layer_costs);

  int ranks() const { return ranks_; }
  int workers() const { return workers_; }
  int layers() const { return static_cast<int>(owner_.size()); }
  int first_worker(int rank) const;
  int worker_count(int rank) const { return first_worker(rank + 1) - first_worker(rank); }
  int host_of(int worker) const;
  int owner_of(int layer) const { return owner_[static_cast<std::size_t>(layer)]; }
  /// Load of the busiest rank over the mean load: 1 is perfect.
  double imbalance() const { return imbalance_; }

 private:
  int ranks_;
  int workers_;
  std::vector<int> owner_;
  double imbalance_ = 1;
};

}  // namespace kaon

#endif
