#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/deck/nearest.hpp>
#include <kaon/deck/parse.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/deck/synonyms.hpp>
#include <kaon/deck/table.hpp>
#include <kaon/deck/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

namespace kaon {

namespace {

constexpr std::string_view group_prefix = "group.";
constexpr char const* command_line = "command line";

bool holds(std::vector<std::string> const& all, std::string const& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool is_group(std::string_view section) {
  return section.size() > group_prefix.size() && section.substr(0, group_prefix.size()) == group_prefix;
}

// Section of a key as its user wrote it; only the last dot separates, so group names may hold dots.
std::string section_of(std::string const& key) {
  auto const dot = key.rfind('.');
  return dot == std::string::npos ? std::string() : key.substr(0, dot);
}

// Whether some program could have offered a key, or a section, of this name.
bool could_be_offered(std::string const& key) {
  auto const section = section_of(key);
  return is_offered_name(key.substr(section.size() + 1)) && (is_group(section) || is_offered_name(section));
}

[[noreturn]] void unknown_key(DeckEntry const& entry) {
  auto const section = section_of(entry.key);
  std::vector<std::string> known;
  for (auto const& key : schema())
    if (key.section != "group")
      known.push_back(fmt::format("{}.{}", key.section, key.name));
    else if (is_group(section))
      known.push_back(fmt::format("{}.{}", section, key.name));
  if (auto const meant = synonym(entry.key); !meant.empty())
    throw UsageError(fmt::format("{}: unknown key {}; what comes nearest here is {} ({})", entry.origin, entry.key, meant,
                                 find_key(meant)->help));
  throw UsageError(
      fmt::format("{}: unknown key {}; the nearest known key is {}", entry.origin, entry.key, nearest(entry.key, known)));
}

void check_section(std::string const& section, std::string const& origin) {
  if (is_group(section)) {
    if (section.find_first_of("=[]#") != std::string::npos)
      throw UsageError(fmt::format("{}: the group name in [{}] must not hold any of = [ ] #", origin, section));
    return;
  }
  auto names = sections();
  if (section != "group" && std::find(names.begin(), names.end(), section) != names.end()) return;
  names.back() = "group.NAME";
  auto const hint = section == "group" ? names.back() : nearest(section, names);
  throw UsageError(fmt::format("{}: unknown section [{}]; the nearest known section is [{}]", origin, section, hint));
}

}  // namespace

std::string deck_name(std::string const& path) { return path == "-" ? "standard input" : path; }

std::string read_deck_file(std::string const& path) {
  std::ostringstream text;
  bool const standard = path == "-" || path == "/dev/stdin";  // not opened anew: it may be a socket
  std::ifstream file;
  if (!standard) file.open(path, std::ios::binary);
  std::istream& in = standard ? std::cin : file;
  if (in && in.peek() != std::istream::traits_type::eof()) text << in.rdbuf();
  if (in && !text.str().empty()) return text.str();
  bool const of_shell = path.rfind("/dev/fd/", 0) == 0 || path.rfind("/proc/self/fd/", 0) == 0;
  throw UsageError(fmt::format("{}: no such deck, or it is empty or cannot be read{}", deck_name(path),
                               of_shell ? "; a launcher keeps the pipes of a shell to itself: pass the deck by -i - and its "
                                          "standard input"
                                        : ""));
}

Deck Deck::from_file(std::string const& path, std::vector<std::string> const& overrides) {
  return from_text(read_deck_file(path), deck_name(path), overrides);
}

Deck Deck::from_text(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides) {
  return read(text, origin, overrides, false);
}

Deck Deck::from_checkpoint(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides) {
  return read(text, origin, overrides, true);
}

Deck Deck::read(std::string const& text, std::string const& origin, std::vector<std::string> const& overrides, bool stored) {
  auto const parsed = parse_deck(text, origin, overrides);
  Deck deck;
  deck.origin_ = origin;
  for (auto const& entry : parsed.entries) {
    bool const as_stored = stored && !entry.on_command_line;
    auto const& from = as_stored ? origin : entry.origin;  // lines of a checkpoint nobody sees
    Key const* key = find_key(entry.key);
    bool const unheard_of =
        key ? key->type == KeyType::choice && !holds(key->choices, entry.value) && is_offered_name(entry.value)
            : could_be_offered(entry.key);
    if (as_stored && unheard_of) {
      deck.values_[entry.key] = {entry.value, true, from, true};
      continue;
    }
    if (!key) unknown_key(entry);
    try {
      deck.values_[entry.key] = {canonical(*key, entry.value, as_stored ? Spelling::stored : Spelling::written), true, from};
    } catch (UsageError const& e) {
      throw UsageError(fmt::format("{}: {} = {}: {}", from, entry.key, entry.value, e.what()));
    }
  }
  std::string before;
  for (auto const& section : parsed.sections) {
    if (stored && section.origin != command_line && !is_group(section.name) && !holds(sections(), section.name) &&
        is_offered_name(section.name))
      deck.foreign_.push_back({section.name, before});
    else
      check_section(section.name, section.origin);
    if (is_group(section.name)) deck.groups_.push_back(section.name.substr(group_prefix.size()));
    before = section.name;
  }
  deck.fill_defaults();
  deck.check_together();
  return deck;
}

// An override that names a group with a slip in it makes a group of its own, which lacks everything else.
std::string Deck::nearest_group(std::string const& section) const {
  std::vector<std::string> others;
  for (auto const& group : groups_)
    if (auto const other = std::string(group_prefix) + group; other != section && values_.count(other + ".layers"))
      others.push_back(other);
  if (others.empty() || !is_group(section)) return {};
  auto const meant = nearest(section, others);
  return edit_distance(meant, section) <= 2 ? fmt::format("; was {} meant?", meant) : std::string();
}

void Deck::fill_defaults() {
  auto const fill = [&](Key const& key, std::string const& section) {
    auto const name = fmt::format("{}.{}", section, key.name);
    if (values_.count(name)) {
      if (!key.required || !values_[name].text.empty() || !counts(name)) return;
    }
    if (key.required && (key.section == "group" ? counts(name) : key.used_by.empty()))
      throw UsageError(
          fmt::format("{}: {} is missing; it must be {} ({}){}", origin_, name, allowed(key), key.help, nearest_group(section)));
    values_[name] = {std::string(key.fallback), false};
  };
  for (auto const& key : schema())
    if (key.section != "group") fill(key, std::string(key.section));
  for (auto const& group : groups_)
    for (auto const& key : schema())
      if (key.section == "group") fill(key, std::string(group_prefix) + group);
}

void Deck::check_together() const {
  check_kind();
  if (groups_.empty())
    throw UsageError(fmt::format("{}: no [group.NAME] section; layers take norm and radius from groups", origin_));
  if (text("optimizer.form") == "constrained") check_constrained();
}

void Deck::check_kind() const {
  auto const& kinds = deck_table().kinds;
  auto const kind =
      std::find_if(kinds.begin(), kinds.end(), [&](OfferedKind const& k) { return k.name == text("objective.kind"); });
  if (kind == kinds.end()) return;  // a checkpoint's
  for (auto const& key : schema()) {
    auto const name = fmt::format("{}.{}", key.section, key.name);
    if (key.required && holds(key.used_by, kind->name) && key.section != "group" && effective(name).empty())
      throw UsageError(fmt::format("{}: {} is missing; objective.kind = {} needs it ({})", where("objective.kind"), name,
                                   kind->name, key.help));
  }
  if (kind->check) kind->check(objective_values());
}

// Form constrained is weight decay 1, and a convex combination as long as t <= 1.
void Deck::check_constrained() const {
  auto const schedule = text("optimizer.schedule");
  for (auto const& group : groups_) {
    auto const section = std::string(group_prefix) + group;
    if (counts(section + ".weight_decay") && real(section + ".weight_decay") != 0)
      throw UsageError(
          fmt::format("{}: {}.weight_decay = {}: optimizer.form = constrained leaves no other weight decay; set it to 0",
                      where(section + ".weight_decay"), section, effective(section + ".weight_decay")));
    bool const falls = schedule == "constant" || schedule == "linear" || schedule == "cosine";
    if (falls && counts(section + ".radius") && real(section + ".radius") > 1)
      throw UsageError(
          fmt::format("{}: {}.radius = {}: optimizer.form = constrained needs at most 1; the ball's size is {}.factor",
                      where(section + ".radius"), section, effective(section + ".radius"), section));
  }
}

}  // namespace kaon
