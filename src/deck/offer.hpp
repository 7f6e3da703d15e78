#ifndef KAON_DECK_OFFER_HPP
#define KAON_DECK_OFFER_HPP

#include <kaon/keys/key_values.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kaon {

// What objectives, methods and norms bring to the deck. All of these before a deck is read; they throw std::invalid_argument,
// and change nothing, where something is there already or cannot be.

/// One more value that a choice key takes.
void offer_choice(std::string_view section, std::string_view name, std::string const& value);

/// Which resolved decks have a section: those that read it, or change something in it; or all.
enum class Resolved { where_read, always };

/// Keys of sections that the deck itself does not have. A new section stands behind [objective] and those offered before it.
/// Where no objective names the section, it counts in every deck: a program that passes its objective to kaon::Training may read
/// it.
void offer_keys(std::vector<Key> const& keys, Resolved resolved = Resolved::where_read);

/// Throws UsageError where the values of an objective's sections do not fit each other.
using CheckTogether = std::function<void(SectionValues const&)>;

/// One more objective.kind, with the sections that it reads, which are there. `help`: a few words; `check` may be empty.
void offer_kind(std::string const& name, std::string const& help, std::vector<std::string> const& sections,
                CheckTogether check = {});

/// One more method of a group. `help`: a few words; `keys`, of the section "group", are the method's own; `used`: which of the
/// keys that groups have whatever their method mean something to it, "norm" standing for those that shape a norm too. The first
/// one is the default.
void offer_group_method(std::string const& name, std::string const& help, std::vector<Key> const& keys,
                        std::vector<std::string> const& used);

}  // namespace kaon

#endif
