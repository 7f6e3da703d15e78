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

/// What a worker sends after a round of local steps: update, Δ_j = W − θ_j of its own walk θ_j; gradient, the momentum of the
/// mean of the gradients that it has met on the way, and the step is the server's oracle.
enum class LocalForm { update, gradient };

/// What the server does with Δ, the mean of Δ_j, η = LocalSettings::rate and μ = momentum (MuLoCo, arXiv 2505.23725):
///   average   X ← X − ηΔ
///   nesterov  u ← μu + Δ; X ← X − η(Δ + μu)
///   lmo       X ← X + tη·LMO(Δ), t the radius of the round's last step
enum class Outer { average, nesterov, lmo };

/// Rounds of steps between which the workers walk alone. Steps count inner steps; the k-th round is steps k·H to (k+1)·H − 1, and
/// the last one may be shorter.
struct LocalSettings {
  std::uint64_t steps = 0;  ///< H; 0: there are no rounds, every step has its messages
  std::uint64_t total = 0;  ///< of the whole run: its last step ends a round; 0: not known
  LocalForm form = LocalForm::update;
  Outer outer = Outer::average;
  double rate = 1;        ///< η, with form update
  double momentum = 0.6;  ///< μ, with outer nesterov
  double walk = 0.1;      ///< with form gradient: length of an inner step, in radii

  bool on() const { return steps > 0; }
  /// Steps of the round before this one.
  std::uint64_t in_round(std::uint64_t step) const { return on() ? step % steps : 0; }
  std::uint64_t round_of(std::uint64_t step) const { return on() ? step / steps : step; }
  bool ends_round(std::uint64_t step) const { return !on() || (step + 1) % steps == 0 || step + 1 == total; }
};

struct OptimizerSettings {
  int workers = 1;  ///< n: part of the mathematics
  Start start = Start::dense;
  bool nesterov = false;  ///< compress and apply (1−β)M_j + β∇f_j instead of M_j
  bool adaptive = false;  ///< t_i = radius_i · ‖G_i‖_* (times the schedule's multiplier)
  double clip = 0;        ///< largest norm of a worker's gradient, over all layers, that is not scaled down; 0: none is
  std::uint64_t seed = 1;
  LocalSettings local = {};
  // Where it runs; the results have the same bits.
  Topology topology = Topology::sharded;
  std::size_t bundle_bytes = std::size_t(1) << 16;  ///< layers whose packets together have at most so many bytes travel together
  int fan_out = 8;                                  ///< ranks that each rank sends a downlink on to; 0: the owner to all
  MessageMemory messages = MessageMemory::host;     ///< device: see choose_message_memory()
};

}  // namespace kaon

#endif
