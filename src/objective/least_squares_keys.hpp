#ifndef KAON_OBJECTIVE_LEAST_SQUARES_KEYS_HPP
#define KAON_OBJECTIVE_LEAST_SQUARES_KEYS_HPP

#include <kaon/objective/traits.hpp>

namespace kaon {

/// objective.kind = least-squares, with the section of that name.
ObjectiveTraits least_squares_traits();

}  // namespace kaon

#endif
