#ifndef KAON_EXCHANGE_ROUTES_HPP
#define KAON_EXCHANGE_ROUTES_HPP

#include <kaon/exchange/flows.hpp>
#include <kaon/plan/blocks.hpp>
#include <kaon/plan/plan.hpp>

#include <cstddef>
#include <vector>

namespace kaon {

/// Who adds which partial sums: numbered by micro-batch inside a worker's group, by worker · micro_batches + micro-batch over
/// all.
struct Summing {
  /// Another rank that has terms, and its blocks of them.
  struct Sender {
    int rank;
    std::vector<AddBlock> blocks;
  };
  Range mine;
  std::vector<AddBlock> blocks;
  std::vector<Sender> senders;  ///< ascending by their terms
};
/// Of the worker that the rank computes, where others share it; empty elsewhere.
Summing sums_in_group(Plan const& plan, int rank);
/// Of all workers.
Summing sums_over_all(Plan const& plan, int rank);

/// The messages of one bundle that one rank sends and receives in a step: what Exchange makes boxes for, and all that it does.
struct Routes {
  bool serves = false;
  bool joins_sums = false;     ///< with the bundle's kind of uplink: the home, or a server
  Range uplinks;               ///< workers whose uplinks are made here or received here; none with Up::ordered_sum
  std::vector<int> up_from;    ///< of each of them the rank that makes it; −1: it is made here
  std::vector<int> up_to;      ///< where one that is made here goes
  int down_from = -1;          ///< −1: no downlink comes
  std::vector<int> down_to;    ///< the server's own, or where it is sent on
  bool receives_sums = false;  ///< from every sender of its Summing
  std::vector<int> sums_to;    ///< where this rank's partial sums go

  std::size_t receives(Summing const& sums) const;
  std::size_t sends() const;
};
/// `flow`: of the bundle's layers, which have one kind of uplink; `sums`: that kind's.
Routes routes_of(Plan const& plan, LayerFlows const& flow, Summing const& sums, int bundle, int rank);

}  // namespace kaon

#endif
