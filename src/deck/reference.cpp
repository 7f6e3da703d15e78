#include <kaon/deck/reference.hpp>
#include <kaon/deck/schema.hpp>

#include <fmt/format.h>

namespace kaon {

namespace {

std::string title(std::string const& section) { return section == "group" ? "group.NAME" : section; }

// Whether some objective, or some method, has no use for it.
bool of_some(Key const& key) {
  auto const* with = key.section == "group" ? find_key("group.any.method") : find_key("objective.kind");
  return !key.used_by.empty() && key.used_by.size() < with->choices.size();
}

// "objective.kind = gpt": who reads the section; "" for one that counts always.
std::string readers(std::string const& section) {
  for (auto const& key : schema())
    if (key.section == section && section != "group" && !key.used_by.empty())
      return fmt::format("objective.kind = {}", fmt::join(key.used_by, ", "));
  return {};
}

std::string default_text(Key const& key) {
  if (key.required) return of_some(key) ? fmt::format("required for {}", fmt::join(key.used_by, ", ")) : "required";
  if (!key.inherits.empty()) return fmt::format("as {}", key.inherits);
  return key.fallback.empty() ? "empty" : std::string(key.fallback);
}

constexpr char const* introduction =
    "# The deck\n\n"
    "A deck is a text file of `[section]` lines, `key = value` lines and `# comments` (a `#` starts one anywhere in a line).\n"
    "On the command line `section.key=value` replaces what the file says. `kaon-train -n` prints the resolved deck: every key,\n"
    "defaults included. Unknown keys, wrong values and keys given twice are errors; a message names the line (`my.deck:12`).\n\n"
    "Lists are separated by commas or blanks; double quotes hold an element together that has either. Quotes around the whole "
    "of\n"
    "another value are taken off. Paths are relative to the working folder. The column *restart* says whether a key may differ "
    "from\n"
    "the deck in the checkpoint that is continued; a restart that is refused names both values and where each was given.\n\n"
    "Text is UTF-8 or ASCII, a byte order mark is passed over, lines end with LF or CR LF. `-i -` takes the deck from the "
    "standard\n"
    "input. Rank 0 reads it, once, for all ranks: it may be a pipe, and need not lie on every node.\n\n"
    "The resolved deck leaves out, where they have their defaults, a group's keys that its method does not read, and `method`\n"
    "itself where all groups have the default. Programs that bring objectives, methods or norms of their own\n"
    "([own-objective.md](own-objective.md)) have their keys in `--help` and `-n`, and check and store them as these here.\n\n"
    "What nobody can have meant ends with exit code 64 before the first step, with the cure:\n\n"
    "- `;` or `//` behind a value, `~`, `$NAME` or `${NAME}` in a path (a deck expands nothing; a shell does), single quotes in "
    "a\n"
    "  list, odd characters (no-break spaces, typographic quotes and dashes), UTF-16, NUL bytes;\n"
    "- `t weight_decay > 1`, which turns the signs of the weights at every step, and form `constrained` with t > 1, at the "
    "largest t\n"
    "  of the schedule;\n"
    "- a radius that takes the weights out of the range of `run.precision` within the run; a radius, ball or beta that is zero "
    "in it.\n\n"
    "What may be meant is a warning, once: a key that others leave without effect, a group without layers, a pattern that is no\n"
    "layer's name, a weight decay or a beta that the precision rounds away.\n"
    "This page is made from the table that the program itself reads.\n";

constexpr char const* group_text =
    "\nAny number of sections `[group.NAME]`, NAME free. Order matters: a layer joins the first group one of whose patterns "
    "matches\n"
    "its name (`*`, `?`, `[a-z]` as in fnmatch(3)); a layer that no group matches is an error.\n";

}  // namespace

std::string deck_reference_markdown() {
  std::string out = introduction;
  for (auto const& section : sections()) {
    out += fmt::format("\n## [{}]\n", title(section));
    if (section == "group") out += group_text;
    if (auto const who = readers(section); !who.empty()) out += fmt::format("\nRead where {}.\n", who);
    out += "\n| key | value | default | restart | meaning |\n|---|---|---|---|---|\n";
    for (auto const& key : schema())
      if (key.section == section)
        out += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.name, allowed(key), default_text(key),
                           key.may_change ? "may change" : "fixed", key.help);
  }
  return out;
}

std::string deck_help() {
  std::string out = "Keys of the deck (default in parentheses; * may change on a restart):\n";
  for (auto const& section : sections()) {
    auto const who = readers(section);
    out += fmt::format("\n[{}]{}{}\n", title(section), who.empty() ? "" : " where ", who);
    for (auto const& key : schema())
      if (key.section == section)
        out += fmt::format("  {:<20}{} {} ({}): {}\n", key.name, key.may_change ? '*' : ' ', allowed(key), default_text(key),
                           key.help);
  }
  return out;
}

}  // namespace kaon
