#ifndef KAON_LMO_REGISTRY_HPP
#define KAON_LMO_REGISTRY_HPP

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/lmo/lmo.hpp>

#include <memory>
#include <string>
#include <vector>

namespace kaon {

/// What an oracle is made for: one rows×cols block of a layer or, for norms that stack, `batch` of them one below the other.
struct NormBlock {
  LmoSettings const& settings;
  int rows, cols;    ///< of one block
  int batch = 1;     ///< the oracle's matrices have rows·batch rows
  double scale = 1;  ///< radius s of each block's ball
};

/// What a norm is, beside its oracle: the same for every scalar type and execution space.
struct NormTraits {
  std::string name;
  std::vector<std::string> scales;  ///< those of lmo_scales() that mean something
  /// The radius for scale rms, m×n; needed where scales has it.
  double (*rms)(double m, double n) = nullptr;
  /// Throws UsageError where settings of the norm's own are out of range for the block; null: it has none.
  void (*check)(NormBlock const& block) = nullptr;
  /// Floating-point operations of apply for one block.
  double (*cost)(NormBlock const& block) = nullptr;
  /// Whether one oracle works off a stack of blocks at once.
  bool (*stacks)(LmoSettings const&) = nullptr;
  /// Whether the oracle squares entries in the type of G itself: in double it is then protected (make_any_size_lmo).
  bool (*squares)(LmoSettings const&) = nullptr;
};

/// The answers of norms that look at each entry once.
double entrywise_cost(NormBlock const& block);
bool always(LmoSettings const&);
bool never(LmoSettings const&);

template <class T, class Exec>
struct NormEntry {
  NormTraits traits;
  std::unique_ptr<Lmo<T, Exec>> (*make)(NormBlock const& block);
};

/// The table that make_lmo reads; starts with what the library has.
template <class T, class Exec>
std::vector<NormEntry<T, Exec>>& norm_table();

/// Throws std::invalid_argument unless `traits` can be added: a name that is not taken, known scales, every function there.
void check_new_norm(NormTraits const& traits);

/// Adds a norm of a program's own, for every scalar type and execution space; N<T, Exec>::make is a static function that makes
/// the oracle of a NormBlock. Call it once, before the norm is named. Decks learn of it by offer_norm (kaon/run/offer_norm.hpp).
template <template <class, class> class N>
void register_norm(NormTraits const& traits) {
  check_new_norm(traits);
#define KAON_ENTRY(T, Exec) norm_table<T, Exec>().push_back({traits, N<T, Exec>::make});
  KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_ENTRY)
#undef KAON_ENTRY
}

}  // namespace kaon

#endif
