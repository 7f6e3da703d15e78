#ifndef KAON_CHECKPOINT_COMPANIONS_HPP
#define KAON_CHECKPOINT_COMPANIONS_HPP

#include <kaon/checkpoint/reader.hpp>
#include <kaon/state/registry.hpp>

namespace kaon {

/// Throws InputError naming both datasets, the first element and why it matters, unless each of
/// this field's says what Companion::says claims. The file has passed require_fields().
void require_companions(CheckpointFile const& file, Field const& field);

}  // namespace kaon

#endif
