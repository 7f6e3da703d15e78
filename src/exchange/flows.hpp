#ifndef KAON_EXCHANGE_FLOWS_HPP
#define KAON_EXCHANGE_FLOWS_HPP

#include <cstddef>
#include <cstdint>
#include <string>

namespace kaon {

/// How a layer's gradients reach its server.
///   each         one packet of every worker, which its server takes in worker order
///   ordered_sum  dense, added on the way: the ranks send partial sums over their workers and micro-batches, and the server joins
///                them in the order of BlockSum over all n · micro_batches of them, the same for any number of ranks
enum class Up { each, ordered_sum };

/// What a layer sends in the second of two rounds of one step: one packet of every worker up, one down. No bounds: there is no
/// second round.
struct StageFlows {
  std::uint32_t up_encoding = 0, down_encoding = 0;
  std::size_t up_bound = 0, down_bound = 0;  ///< largest payloads in bytes
  bool there() const { return up_bound > 0; }
};

/// What one layer sends in a step, the same on every rank. Layers of different `up`, or of which only one has a second stage,
/// never share a message.
struct LayerFlows {
  std::string layer_name = {};
  std::uint32_t up_encoding = 0, down_encoding = 0, dense_encoding = 0;
  std::size_t up_bound = 0, down_bound = 0;  ///< largest payloads in bytes
  std::size_t sum_bytes = 0;                 ///< payload of a partial gradient, a multiple of 8
  std::size_t dense_bound = 0;               ///< largest payload of the uncompressed start; 0: there is none
  Up up = Up::each;
  bool shared_sums = false;  ///< with Up::each: every rank that shares a worker joins the worker's sum, and not its home alone
  /// Participants of the method that each uplink packet is for: the server. For ByteCount::received.
  std::uint32_t up_receivers = 1;
  StageFlows second = {};  ///< with Up::each
};

}  // namespace kaon

#endif
