#include <kaon/deck/reference.hpp>
#include <kaon/deck/schema.hpp>

#include <fmt/format.h>

namespace kaon {

namespace {

std::string title(std::string_view section) { return section == "group" ? "group.NAME" : std::string(section); }

std::string default_text(Key const& key) {
  if (key.required) return "required";
  if (!key.needed_by.empty()) return fmt::format("required for {}", key.needed_by);
  if (!key.inherits.empty()) return fmt::format("as {}", key.inherits);
  return key.fallback.empty() ? "empty" : std::string(key.fallback);
}

constexpr char const* introduction =
    "# The deck\n\n"
    "A deck is a text file of `[section]` lines, `key = value` lines and `# comments` (a `#` starts one anywhere in a line).\n"
    "On the command line `section.key=value` replaces what the file says. `kaon-train -n` prints the resolved deck: every key,\n"
    "defaults included. Unknown keys, wrong values and keys given twice are errors.\n\n"
    "Lists are separated by commas or blanks; double quotes hold an element together that has either. Paths are relative to the\n"
    "working folder. The column *restart* says whether a key may differ from the deck in the checkpoint that is continued.\n"
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
    out += fmt::format("\n[{}]\n", title(section));
    for (auto const& key : schema())
      if (key.section == section)
        out += fmt::format("  {:<20}{} {} ({}): {}\n", key.name, key.may_change ? '*' : ' ', allowed(key), default_text(key),
                           key.help);
  }
  return out;
}

}  // namespace kaon
