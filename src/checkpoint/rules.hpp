#ifndef KAON_CHECKPOINT_RULES_HPP
#define KAON_CHECKPOINT_RULES_HPP

#include <kaon/checkpoint/blocks.hpp>
#include <kaon/state/registry.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

/// How fields change with the number of workers, as files say it.
namespace kaon::rules {

/// "weighted"
char const* name_of(Resize rule);
/// Nothing for a word that is none of them.
std::optional<Resize> named(std::string const& word);

/// The leading index is the worker, and there are as many as workers.
inline bool is_per_worker(Resize rule) {
  return rule == Resize::weighted || rule == Resize::copied || rule == Resize::same || rule == Resize::new_epoch;
}

/// Why this field cannot have the rule in a state of so many workers, for messages ("is weighted, and …"); empty: it can. `find`
/// knows the other fields by path; nullptr for a path that none has.
std::string misfit(FieldShape const& field, Resize rule, std::uint64_t workers,
                   std::function<FieldShape const*(std::string const&)> const& find);

}  // namespace kaon::rules

#endif
