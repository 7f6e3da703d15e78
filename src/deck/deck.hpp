#ifndef KAON_DECK_DECK_HPP
#define KAON_DECK_DECK_HPP

#include <cstdint>
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
  /// hold.
  static Deck from_checkpoint(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides = {});

  std::string text(std::string_view key) const;  ///< of a text or a choice
  int integer(std::string_view key) const;
  std::int64_t integer64(std::string_view key) const;
  double real(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;

  std::vector<std::string> const& groups() const { return groups_; }  ///< names of [group.NAME], in order of appearance
  bool has_default(std::string_view key) const;                       ///< true when neither file nor override gave the key
  std::string const& origin() const { return origin_; }
  /// Where the value of `key` (or of the key that it inherits from) was given, for messages: "my.deck:12", "command line"; where
  /// it is a default the deck's name.
  std::string where(std::string_view key) const;

  /// The deck as text with every key. Parsing it gives the same values and the same text again.
  std::string resolved() const;

  /// What forbids continuing a run of `other` with this deck: one line, with both values and where each was given, for each key
  /// that differs and must not change on a restart. run.steps counts as such a key where the schedule depends on it.
  std::vector<std::string> disagreements(Deck const& other) const;

 private:
  struct Value {
    std::string text;  // canonical
    bool given = false;
    std::string origin = {};
  };
  static Deck read(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides, bool stored);
  Value const& effective_value(std::string_view key) const;
  std::string const& effective(std::string_view key) const { return effective_value(key).text; }
  std::string source(std::string_view key) const;
  std::string nearest_group(std::string const& section) const;
  void fill_defaults();
  void check_together() const;
  void check_constrained() const;

  std::string origin_;
  std::vector<std::string> groups_;
  std::map<std::string, Value, std::less<>> values_;
};

/// The text of a deck file; "-" is the standard input. A pipe can be read once. Throws UsageError naming the file when it cannot
/// be read.
std::string read_deck_file(std::string const& path);

/// What messages call the deck of that path: itself, or "standard input".
std::string deck_name(std::string const& path);

}  // namespace kaon

#endif
