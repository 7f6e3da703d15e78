#ifndef KAON_RUN_START_IDLE_RANKS_HPP
#define KAON_RUN_START_IDLE_RANKS_HPP

#include <kaon/plan/plan.hpp>

#include <string>

namespace kaon {

/// The warning, with the cure, when ranks get no gradient to compute, and perhaps no layer either: such ranks wait. "" when all
/// have work. `micro_batches_key` is the deck's key for more of them; "" where there is none.
std::string idle_ranks_warning(Plan const& plan, std::string const& micro_batches_key);

}  // namespace kaon

#endif
