#ifndef KAON_DECK_DECK_HPP
#define KAON_DECK_DECK_HPP

#include <kaon/keys/key_values.hpp>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kaon {

/// The settings of a run: every key of the schema, from a file, overrides and defaults, checked. Keys are "section.name", those
/// of a group "group.NAME.name". Asking for a key that the schema lacks, or as another type, throws std::invalid_argument.
class Deck {
 public:
  /// Throws UsageError naming file, key, value and what is allowed: unreadable file, wrong syntax, unknown section or key (with
  /// the nearest known one), wrong type or range, a key twice, a required key missing, keys that contradict each other.
  static Deck from_file(std::string const& path, std::vector<std::string> const& overrides = {});
  /// As from_file; `origin` names the text in messages.
  static Deck from_text(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides = {});
  /// The deck that the checkpoint `origin` holds: its values count as they stand there, also such as a deck of today may not
  /// hold, and such as the program that wrote it knows and this one does not (foreign()).
  static Deck from_checkpoint(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides = {});

  std::string text(std::string_view key) const;  ///< of a text or a choice
  int integer(std::string_view key) const;
  std::int64_t integer64(std::string_view key) const;
  double real(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;

  std::vector<std::string> const& groups() const { return groups_; }  ///< names of [group.NAME], in order of appearance
  bool has_default(std::string_view key) const;                       ///< true when neither file nor override gave the key
  bool changed(std::string_view key) const;                           ///< true when it says something else than its default
  /// Whether objective.kind, or the group's method, is one that the key means something to.
  bool counts(std::string_view key) const;
  std::string const& origin() const { return origin_; }
  /// Where the value of `key` (or of the key that it inherits from) was given, for messages: "my.deck:12", "command line"; where
  /// it is a default the deck's name.
  std::string where(std::string_view key) const;

  /// The keys of one section ("gpt", "group.hidden") for those who know no deck. Throws std::invalid_argument where there is
  /// none.
  KeyValues values(std::string const& section) const;
  /// The sections that objective.kind reads.
  SectionValues objective_values() const;

  /// What stands in a checkpoint's deck and this program does not know: "mymodel.width = 3", whole sections of keys and names
  /// behind keys. text(), integer() and the like read it as what it is asked for.
  std::vector<std::string> foreign() const;

  /// The deck as text: every key but, where they have their default, those of objectives of a program's own that it does not
  /// train, and in a group those that its method has no use for; `method` itself is written where one of the groups has another
  /// one than the default. Parsing it gives the same values and the same text again.
  std::string resolved() const;

  /// What forbids continuing a run of `other` with this deck: one line, with both values and where each was given, for each key
  /// that differs and must not change on a restart. run.steps counts as such a key where the schedule depends on it.
  std::vector<std::string> disagreements(Deck const& other) const;

 private:
  struct Value {
    std::string text;  // canonical
    bool given = false;
    std::string origin = {};
    bool foreign = false;  // as it stood
  };
  struct ForeignSection {
    std::string name, behind;
  };
  void require_type(std::string_view key, std::initializer_list<KeyType> types) const;
  std::string default_of(std::string_view key) const;
  bool shown(std::string const& section) const;
  bool shown(std::string const& group, Key const& key) const;
  static Deck read(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides, bool stored);
  Value const& effective_value(std::string_view key) const;
  std::string const& effective(std::string_view key) const { return effective_value(key).text; }
  std::string source(std::string_view key) const;
  std::string nearest_group(std::string const& section) const;
  void fill_defaults();
  void check_together() const;
  void check_kind() const;
  void check_constrained() const;

  std::string origin_;
  std::vector<std::string> groups_;
  std::vector<ForeignSection> foreign_;
  std::map<std::string, Value, std::less<>> values_;
};

/// The text of a deck file; "-" is the standard input. A pipe can be read once. Throws UsageError naming the file when it cannot
/// be read.
std::string read_deck_file(std::string const& path);

/// What messages call the deck of that path: itself, or "standard input".
std::string deck_name(std::string const& path);

}  // namespace kaon

#endif
