#ifndef KAON_EXCHANGE_COST_MODEL_HPP
#define KAON_EXCHANGE_COST_MODEL_HPP

#include <kaon/exchange/plan.hpp>

#include <cstddef>
#include <vector>

namespace kaon {

/// One rank's connection, as messages of the exchange see it.
struct LinkSpeed {
  double latency = 0;    ///< seconds from a small message's sending to its arrival
  double bandwidth = 0;  ///< bytes a second in one direction while the other is in use too; 0: without limit
};

/// What one layer costs, in seconds of one rank, and how long its packets are, header included.
struct LayerCost {
  double weight = 1;         ///< part of the gradient's work, in any unit
  double compress_up = 0;    ///< momentum, encoding and decoding of one worker's packet
  double aggregate = 0;      ///< decoding one worker's packet at the server
  double lmo = 0;            ///< oracle and step
  double compress_down = 0;  ///< encoding and decoding of the shift at the server
  double follow = 0;         ///< decoding the shift elsewhere
  std::size_t up_bytes = 0, down_bytes = 0;
};

/// What a step costs on one rank with a core of its own.
struct StepCost {
  double forward = 0, backward = 0;  ///< seconds of one worker's gradient
  std::vector<LayerCost> layers;
  double slowdown = 1;  ///< of all computing: ranks · threads over cores where that is above 1
};

/// A step in the steady state.
struct StepTime {
  double seconds = 0;
  double compute = 0;  ///< of the busiest rank
  double link = 0;     ///< sending time of the busiest rank's link
  double exposed() const { return seconds - compute; }
};

/// Seconds a step by simulating a few: every rank has one time line for computing, one for sending and one for receiving. Ranks
/// compute their workers one after the other and send each bundle when backward has produced it; servers take bundles as they are
/// complete, those that forward needs first first; a downlink is awaited where the next forward reads it; the losses' sum is
/// behind what was sent before it. A model: no routing, no contention but at the ranks' own links, no noise. Groups of ranks
/// that share a worker compute its micro-batches in parallel; their partial sums are not counted.
StepTime predict_step(Plan const& plan, LinkSpeed const& link, StepCost const& cost);

}  // namespace kaon

#endif
