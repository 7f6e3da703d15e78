#ifndef KAON_OBJECTIVE_FINGERPRINT_FIELD_HPP
#define KAON_OBJECTIVE_FINGERPRINT_FIELD_HPP

#include <kaon/state/contents.hpp>
#include <kaon/state/registry.hpp>

namespace kaon {

/// "/data/fingerprint" (u64, 1): the fingerprint of what an objective reads, for its register_state. `writes`: on exactly one
/// rank, the one that writes worker 0, say. A restart compares it on every rank and throws InputError with both when the contents
/// are others. `may_lack`: files without it are taken too, and contents.note() says so. `contents` must outlive the field.
Field fingerprint_field(Contents& contents, bool writes, bool may_lack);

}  // namespace kaon

#endif
