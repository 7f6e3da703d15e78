#ifndef KAON_OBJECTIVE_GPT_KEYS_HPP
#define KAON_OBJECTIVE_GPT_KEYS_HPP

#include <kaon/objective/gpt_shape.hpp>
#include <kaon/objective/traits.hpp>

namespace kaon {

/// objective.kind = gpt, with the sections [gpt] and [data].
ObjectiveTraits gpt_traits();
/// What [gpt] says; the batch is that of one micro-batch.
GptShape gpt_shape(KeyValues const& gpt);

}  // namespace kaon

#endif
