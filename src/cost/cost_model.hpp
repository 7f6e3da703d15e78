#ifndef KAON_COST_COST_MODEL_HPP
#define KAON_COST_COST_MODEL_HPP

#include <kaon/plan/plan.hpp>

#include <cstddef>
#include <vector>

namespace kaon {

/// One rank's connection, as messages of the exchange see it.
struct LinkSpeed {
  double latency = 0;    ///< seconds from a small message's sending to its arrival
  double bandwidth = 0;  ///< bytes a second in one direction while the other is in use too; 0: without limit
};

/// What the second of two rounds that depend on each other adds to a layer. No bytes: there is none.
struct SecondRound {
  double answer = 0;     ///< one worker's packet, made when the first round's downlink is there
  double aggregate = 0;  ///< decoding and adding one worker's packet at the server
  double serve = 0;      ///< the sum's own passes, the step, encoding of the downlink
  double follow = 0;     ///< decoding it and stepping elsewhere
  double keep = 0;       ///< what a home does for each of its workers then
  std::size_t up_bytes = 0, down_bytes = 0;
  bool there() const { return up_bytes > 0; }
};

/// What one layer costs, in seconds of one rank, and how long its packets are, header included.
struct LayerCost {
  double weight = 1;         ///< part of the gradient's work, in any unit
  double compress_up = 0;    ///< momentum, shift, encoding and decoding of one worker's packet
  double aggregate = 0;      ///< decoding and adding one worker's packet at the server
  double lmo = 0;            ///< the sum's own passes, oracle and step
  double compress_down = 0;  ///< the shift, its encoding and decoding at the server
  double follow = 0;         ///< decoding the shift elsewhere
  std::size_t up_bytes = 0, down_bytes = 0;
  SecondRound second = {};
  double walk = 0;  ///< with local steps: a worker's inner step
};

/// What a step costs on one rank with a core of its own.
struct StepCost {
  double forward = 0, backward = 0;  ///< seconds of one worker's gradient
  std::vector<LayerCost> layers;
  /// Ranks · threads over cores of a host while all its ranks compute. Above 1 they share cores: what only some of the ranks do
  /// at a time (a lone server's oracles, the last of a rank's workers) is slowed down by as many as do it.
  double load = 0;
};

/// A step in the steady state: seconds of all of it, and of its parts on the rank where each is longest. Parts overlap, and need
/// not be of one rank, so they do not add up to the step.
struct StepTime {
  double seconds = 0;
  double compute = 0;   ///< all work of a rank
  double server = 0;    ///< of it, the server's: aggregation, oracles, compression of shifts
  double uplink = 0;    ///< a link's sending of workers' packets
  double downlink = 0;  ///< a link's sending of shifts
  double link = 0;      ///< a link's sending of both
  /// What the exchange and waiting for other ranks add.
  double exposed() const { return seconds - compute; }
};

/// Seconds a step by simulating a few: every rank has one time line for computing, one for sending and one for receiving. Ranks
/// compute their workers one after the other and send each bundle when backward has produced it; servers take bundles as they are
/// complete, those that forward needs first first; a downlink is awaited where the next forward reads it; the losses' sum is
/// behind what was sent before it. With a second round a rank answers what others have served when it has served what is its own.
/// A model: no routing, no contention but at the ranks' own links, no noise. Groups of ranks
/// that share a worker compute its micro-batches in parallel; their partial sums are not counted.
StepTime predict_step(Plan const& plan, LinkSpeed const& link, StepCost const& cost);

}  // namespace kaon

#endif
