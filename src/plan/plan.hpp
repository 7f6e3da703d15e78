#ifndef KAON_PLAN_PLAN_HPP
#define KAON_PLAN_PLAN_HPP

#include <kaon/plan/topology.hpp>

#include <cstddef>
#include <vector>

namespace kaon {

/// The integers [first, first + count).
struct Range {
  int first = 0, count = 0;
  int end() const { return first + count; }
  bool contains(int i) const { return i >= first && i < end(); }
  bool operator==(Range const&) const = default;
};

/// What the plan balances by.
struct LayerLoad {
  double cost = 1;        ///< of the server's oracle, in any unit
  std::size_t bytes = 0;  ///< of the largest packet of the layer, header included
  int kind = 0;           ///< layers of different kinds do not travel together
};

struct PlanSettings {
  Topology topology = Topology::sharded;
  std::vector<int> nodes = {0};  ///< the node of every rank: numbers of any kind, equal where ranks share memory
  int workers = 1;
  int micro_batches = 1;
  /// Layers whose packets together have at most so many bytes travel in one message. 0: every layer alone.
  std::size_t bundle_bytes = 0;
  /// A downlink goes to so many ranks from each rank that has it: a tree below its owner. 0: from the owner to all.
  int fan_out = 0;
};

/// Layers that travel together and have one owner; the last layer first, as backward produces them.
struct Bundle {
  std::vector<int> layers;
  int owner = 0;
  double cost = 0;
};

/// Where things happen to run: which rank computes which gradients, which one keeps a worker's state for a layer (its home,
/// which compresses), which one owns (plays the server for) a layer. Nothing of it is part of the mathematics.
///
/// Up to n ranks that compute, each computes whole workers, in contiguous blocks. Beyond that the ranks of one worker form a
/// group of neighbours, on one node where the nodes allow; its first micro_batches ranks share the worker's micro-batches and
/// are homes for its layers. With `dedicated` and two ranks or more, rank 0 is the server and computes nothing.
class Plan {
 public:
  Plan(PlanSettings const& settings, std::vector<LayerLoad> const& loads);
  /// Sharded, on one node, one micro-batch, every layer its own message.
  Plan(int ranks, int workers, std::vector<double> const& layer_costs);

  Topology topology() const { return settings_.topology; }
  int ranks() const { return static_cast<int>(settings_.nodes.size()); }
  int workers() const { return settings_.workers; }
  int micro_batches() const { return settings_.micro_batches; }
  int layers() const { return static_cast<int>(bundle_of_.size()); }

  /// Workers that the rank computes gradients of, and which of their micro-batches.
  Range workers_at(int rank) const { return at_[static_cast<std::size_t>(rank)].workers; }
  Range micros_at(int rank) const { return at_[static_cast<std::size_t>(rank)].micros; }
  /// Ranks that compute micro-batches of the worker, ascending by micro-batch.
  std::vector<int> const& group_of(int worker) const { return groups_[static_cast<std::size_t>(worker)]; }
  /// The rank that computes the worker's first micro-batch; it writes what is the worker's alone.
  int lead_of(int worker) const { return group_of(worker).front(); }
  Range leads_at(int rank) const;
  /// The gradients that the rank computes, numbered worker · micro_batches + micro-batch.
  Range terms_at(int rank) const;
  /// Ranks that compute any, ascending by their terms.
  std::vector<int> const& computing() const { return computing_; }
  /// The rank that keeps M_j and G_j of the layer and compresses.
  int home_of(int layer, int worker) const;
  /// Workers whose state of the layer lives on the rank.
  Range homes_at(int rank, int layer) const;

  std::vector<Bundle> const& bundles() const { return bundles_; }
  Bundle const& bundle(int b) const { return bundles_[static_cast<std::size_t>(b)]; }
  int bundle_of(int layer) const { return bundle_of_[static_cast<std::size_t>(layer)]; }
  /// The rank that writes X and G of the layer and, but for `replicated`, alone keeps them.
  int owner_of(int layer) const { return bundle(bundle_of(layer)).owner; }
  /// Whether the rank plays the server for the layer.
  bool serves(int rank, int layer) const { return topology() == Topology::replicated || owner_of(layer) == rank; }

  /// The downlink's tree below an owner: the rank that `rank` has it from, and those that it sends it on to.
  int down_parent(int owner, int rank) const;
  std::vector<int> down_children(int owner, int rank) const;

  /// Load of the busiest rank over the mean load of those that serve: 1 is perfect.
  double imbalance() const { return imbalance_; }
  /// Groups of several ranks, and how many of them lie on more than one node.
  int groups() const;
  int split_groups() const;

 private:
  struct At {
    Range workers, micros;
  };
  void place_workers();
  void bundle_layers(std::vector<LayerLoad> const& loads);
  void assign_owners();
  void assign_homes(std::vector<LayerLoad> const& loads);

  PlanSettings settings_;
  std::vector<At> at_;
  std::vector<std::vector<int>> groups_;
  std::vector<int> computing_;
  std::vector<Bundle> bundles_;
  std::vector<int> bundle_of_;
  std::vector<std::vector<int>> home_;  // bundle, worker
  double imbalance_ = 1;
};

}  // namespace kaon

#endif
