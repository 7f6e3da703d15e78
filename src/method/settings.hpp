#ifndef KAON_METHOD_SETTINGS_HPP
#define KAON_METHOD_SETTINGS_HPP

#include <kaon/exchange/message_memory.hpp>
#include <kaon/lmo/lmo.hpp>
#include <kaon/plan/topology.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace kaon {

/// How one layer moves and how its messages are compressed.
struct LayerSettings {
  LmoSettings lmo;
  double radius = 0;                       ///< t_i before the schedule; the factor γ_i of ‖G_i‖_* with an adaptive radius
  double beta = 1;                         ///< weight of the NEW gradient in M_j
  double decay = 0;                        ///< X ← (1 − t·decay)X + tZ
  std::string uplink = "identity";         ///< compressor of M_j − G_j
  std::string downlink = "identity";       ///< compressor of X − W
  std::string method = "ef21-muon";        ///< what is computed: a name of method_names()
  std::map<std::string, std::string> own;  ///< the method's own keys, as text; what is left out has its default
};

/// dense: M_j = G_j = first gradient, sent uncompressed once (as the theory has it); zero: M_j = G_j = 0.
enum class Start { dense, zero };

struct OptimizerSettings {
  int workers = 1;  ///< n: part of the mathematics
  Start start = Start::dense;
  bool nesterov = false;  ///< compress and apply (1−β)M_j + β∇f_j instead of M_j
  bool adaptive = false;  ///< t_i = radius_i · ‖G_i‖_* (times the schedule's multiplier)
  double clip = 0;        ///< largest norm of a worker's gradient, over all layers, that is not scaled down; 0: none is
  std::uint64_t seed = 1;
  // Where it runs; the results have the same bits.
  Topology topology = Topology::sharded;
  std::size_t bundle_bytes = std::size_t(1) << 16;  ///< layers whose packets together have at most so many bytes travel together
  MessageMemory messages = MessageMemory::host;     ///< device: see choose_message_memory()
};

}  // namespace kaon

#endif
