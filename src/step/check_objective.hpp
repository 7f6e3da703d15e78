#ifndef KAON_STEP_CHECK_OBJECTIVE_HPP
#define KAON_STEP_CHECK_OBJECTIVE_HPP

#include <kaon/objective/objective.hpp>

#include <cstdint>

namespace kaon {

/// For tests of an objective of one's own; local, on any rank. Asks for the starting point twice and for every share of the step
/// twice, workers ascending and then descending, and throws UsageError, by layer, worker and micro-batch, unless
///   - the starting point is the same and finite,
///   - every layer comes once a share, in its shape, and is finite, as is the loss,
///   - the same share gives the same bits again, whatever was computed in between.
/// Takes the memory of the model and of every share's gradient. Moves an objective's data on, as a step does.
template <class T>
void check_objective(Space const& exec, Objective<T>& objective, int workers, std::uint64_t step = 0);

extern template void check_objective<float>(Space const&, Objective<float>&, int, std::uint64_t);
extern template void check_objective<double>(Space const&, Objective<double>&, int, std::uint64_t);

}  // namespace kaon

#endif
