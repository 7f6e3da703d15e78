#include <kaon/objective/fingerprint_field.hpp>

#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <cstring>

namespace kaon {

Field fingerprint_field(Contents& contents, bool writes, bool may_lack) {
  Part const all{{0}, {1}};
  auto const get = [&contents, writes](void* out) {
    if (!writes) return;
    auto const mine = contents.fingerprint();
    std::memcpy(out, &mine, sizeof mine);
  };
  auto const set = [&contents](void const* in) {
    std::uint64_t saved = 0;
    std::memcpy(&saved, in, sizeof saved);
    if (saved == contents.fingerprint()) return;
    if (saved == contents.older_fingerprint())
      return contents.take_note("the checkpoint knows the " + contents.kind() +
                                " by the fingerprint of an earlier version, which fits; the next one has today's");
    throw InputError(
        fmt::format("/data/fingerprint: the checkpoint was written with {} of fingerprint {:016x}, those of this run ({}) have "
                    "{:016x}; restart with the same {} (they may have moved), or start a new run in another folder",
                    contents.kind(), saved, contents.where(), contents.fingerprint(), contents.kind()));
  };
  Field field{"/data/fingerprint", ElementType::u64, {1}, writes ? all : Part{{0}, {0}}, all, get, set};
  field.resize = Resize::kept;
  if (may_lack)
    field.absent = [&contents] {
      contents.take_note("the checkpoint has no fingerprint of the " + contents.kind() +
                         " (an earlier version wrote it): whether it is the one of before is not checked, from the next "
                         "checkpoint on it is");
    };
  return field;
}

}  // namespace kaon
