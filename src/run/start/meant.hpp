#ifndef KAON_RUN_START_MEANT_HPP
#define KAON_RUN_START_MEANT_HPP

#include <kaon/deck/deck.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/run/start/assemble.hpp>
#include <kaon/step/schedule.hpp>

#include <string>
#include <vector>

namespace kaon {

/// Looks at the numbers of a deck together, for weights of type T: what each may be the deck has checked.
///
/// Throws UsageError, naming the group, the value, where it was given and the cure, where t·weight_decay > 1 turns the weights'
/// signs (form constrained: t > 1) at the schedule's largest t, where a step or all steps together leave the range of T, and
/// where a radius, a ball or a beta is zero in T. With an adaptive radius t is known in a run only, and beta and the ball alone
/// are looked at.
///
/// Returns warnings: a weight decay and a beta that T rounds away.
template <class T>
std::vector<std::string> check_meant(Deck const& deck, Schedule const& schedule, LayerPlan const& plan,
                                     std::vector<Layer> const& layers);

}  // namespace kaon

#endif
