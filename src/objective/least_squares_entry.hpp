#ifndef KAON_OBJECTIVE_LEAST_SQUARES_ENTRY_HPP
#define KAON_OBJECTIVE_LEAST_SQUARES_ENTRY_HPP

#include <kaon/objective/registry.hpp>

#include <cstdint>
#include <memory>

namespace kaon {

/// objective.kind = least-squares.
ObjectiveTraits least_squares_traits();
template <class T>
std::unique_ptr<Objective<T>> make_least_squares(SectionValues const& values, int workers, std::uint64_t seed);

}  // namespace kaon

#endif
