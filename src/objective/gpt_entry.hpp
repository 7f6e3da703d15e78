#ifndef KAON_OBJECTIVE_GPT_ENTRY_HPP
#define KAON_OBJECTIVE_GPT_ENTRY_HPP

#include <kaon/objective/registry.hpp>

#include <cstdint>
#include <memory>

namespace kaon {

/// objective.kind = gpt.
ObjectiveTraits gpt_traits();
template <class T>
std::unique_ptr<Objective<T>> make_gpt(SectionValues const& values, int workers, std::uint64_t seed);

}  // namespace kaon

#endif
