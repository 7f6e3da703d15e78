#ifndef KAON_COST_LINK_SPEED_HPP
#define KAON_COST_LINK_SPEED_HPP

#include <kaon/cost/cost_model.hpp>
#include <kaon/mpi/communicator.hpp>

#include <cstddef>

namespace kaon {

/// What MPI makes of the links between ranks r and r + R/2, all pairs at once; with an odd number the last rank talks to rank 0
/// afterwards. Rates in bytes a second, of the slowest and the fastest pair.
struct LinkReport {
  double latency = 0;  ///< seconds, half a round trip of one byte, the slowest pair
  double one_way = 0, one_way_fastest = 0;
  double both_ways = 0, both_ways_fastest = 0;  ///< each direction, while the other is in use
  std::size_t size = 0;                         ///< bytes of the messages that the rates are of
  /// What the slowest pair gives a step.
  LinkSpeed speed() const { return {latency, both_ways}; }
};

struct LinkEffort {
  int round_trips = 200;
  double seconds = 0.2;                      ///< messages are doubled until one takes so long: beyond a rate limiter's burst
  std::size_t most = std::size_t(64) << 20;  ///< bytes of a message; two such buffers a rank
};

/// Collective. With one rank everything is 0. The same on every rank.
LinkReport measure_link(Communicator const& comm, LinkEffort const& effort = {});

}  // namespace kaon

#endif
