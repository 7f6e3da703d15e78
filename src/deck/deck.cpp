#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/deck/nearest.hpp>
#include <kaon/deck/parse.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/deck/synonyms.hpp>
#include <kaon/deck/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <limits>
#include <sstream>

namespace kaon {

namespace {

constexpr std::string_view group_prefix = "group.";

bool is_group(std::string_view section) {
  return section.size() > group_prefix.size() && section.substr(0, group_prefix.size()) == group_prefix;
}

// Section of a key as its user wrote it; only the last dot separates, so group names may hold dots.
std::string section_of(std::string const& key) {
  auto const dot = key.rfind('.');
  return dot == std::string::npos ? std::string() : key.substr(0, dot);
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
  auto const& known = sections();
  if (section != "group" && std::find(known.begin(), known.end(), section) != known.end()) return;
  std::vector<std::string> names(known.begin(), known.end());
  names.back() = "group.NAME";
  auto const hint = section == "group" ? names.back() : nearest(section, names);
  throw UsageError(fmt::format("{}: unknown section [{}]; the nearest known section is [{}]", origin, section, hint));
}

Key const& known(std::string_view key, std::initializer_list<KeyType> types) {
  Key const* k = find_key(key);
  require(k != nullptr, ("no such key in the deck's schema: " + std::string(key)).c_str());
  require(std::find(types.begin(), types.end(), k->type) != types.end(),
          ("deck key of another type: " + std::string(key)).c_str());
  return *k;
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
    Key const* key = find_key(entry.key);
    if (!key) unknown_key(entry);
    auto const& from = stored && !entry.on_command_line ? origin : entry.origin;  // lines of a checkpoint nobody sees
    try {
      auto const spelling = stored && !entry.on_command_line ? Spelling::stored : Spelling::written;
      deck.values_[entry.key] = {canonical(*key, entry.value, spelling), true, from};
    } catch (UsageError const& e) {
      throw UsageError(fmt::format("{}: {} = {}: {}", from, entry.key, entry.value, e.what()));
    }
  }
  for (auto const& section : parsed.sections) {
    check_section(section.name, section.origin);
    if (is_group(section.name)) deck.groups_.push_back(section.name.substr(group_prefix.size()));
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
    if (values_.count(name)) return;
    if (key.required)
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
  auto const kind = text("objective.kind");
  for (auto const& key : schema()) {
    auto const name = fmt::format("{}.{}", key.section, key.name);
    if (key.needed_by == kind && effective(name).empty())
      throw UsageError(
          fmt::format("{}: {} is missing; objective.kind = {} needs it ({})", where("objective.kind"), name, kind, key.help));
  }
  if (kind == "gpt" && integer("gpt.width") % integer("gpt.heads") != 0)
    throw UsageError(fmt::format("{}: gpt.width = {} is not a multiple of gpt.heads = {}", where("gpt.width"),
                                 integer("gpt.width"), integer("gpt.heads")));
  if (groups_.empty())
    throw UsageError(fmt::format("{}: no [group.NAME] section; layers take norm and radius from groups", origin_));
  if (text("optimizer.form") == "constrained") check_constrained();
}

// Form constrained is weight decay 1, and a convex combination as long as t <= 1.
void Deck::check_constrained() const {
  auto const schedule = text("optimizer.schedule");
  for (auto const& group : groups_) {
    auto const section = std::string(group_prefix) + group;
    if (real(section + ".weight_decay") != 0)
      throw UsageError(
          fmt::format("{}: {}.weight_decay = {}: optimizer.form = constrained leaves no other weight decay; set it to 0",
                      where(section + ".weight_decay"), section, effective(section + ".weight_decay")));
    if ((schedule == "constant" || schedule == "linear" || schedule == "cosine") && real(section + ".radius") > 1)
      throw UsageError(
          fmt::format("{}: {}.radius = {}: optimizer.form = constrained needs at most 1; the ball's size is {}.factor",
                      where(section + ".radius"), section, effective(section + ".radius"), section));
  }
}

Deck::Value const& Deck::effective_value(std::string_view key) const {
  auto const at = values_.find(key);
  require(at != values_.end(), ("no such key in this deck: " + std::string(key)).c_str());
  Key const* k = find_key(key);
  return at->second.text.empty() && !k->inherits.empty() ? effective_value(k->inherits) : at->second;
}

std::string Deck::where(std::string_view key) const {
  auto const& value = effective_value(key);
  return value.given ? value.origin : origin_;
}

// The same as part of a sentence.
std::string Deck::source(std::string_view key) const {
  auto const& value = effective_value(key);
  if (!value.given) return fmt::format("by default in {}", origin_);
  return value.origin == "command line" ? "on the command line" : "in " + value.origin;
}

std::string Deck::text(std::string_view key) const {
  known(key, {KeyType::text, KeyType::choice});
  return effective(key);
}

std::int64_t Deck::integer64(std::string_view key) const {
  known(key, {KeyType::integer});
  return as_integer(effective(key));
}

int Deck::integer(std::string_view key) const {
  auto const v = integer64(key);
  require(v <= std::numeric_limits<int>::max() && v >= std::numeric_limits<int>::min(),
          ("deck key needs integer64: " + std::string(key)).c_str());
  return static_cast<int>(v);
}

double Deck::real(std::string_view key) const {
  known(key, {KeyType::real});
  return as_real(effective(key));
}

bool Deck::flag(std::string_view key) const {
  known(key, {KeyType::boolean});
  return effective(key) == "yes";
}

std::vector<std::string> Deck::list(std::string_view key) const {
  known(key, {KeyType::list});
  return as_list(effective(key));
}

bool Deck::has_default(std::string_view key) const {
  auto const at = values_.find(key);
  require(at != values_.end(), ("no such key in this deck: " + std::string(key)).c_str());
  return !at->second.given;
}

std::string Deck::resolved() const {
  std::string out = "# Every key of the deck\n";
  auto const write = [&](std::string_view schema_section, std::string const& section) {
    out += fmt::format("\n[{}]\n", section);
    for (auto const& key : schema()) {
      if (key.section != schema_section) continue;
      auto const& here = values_.find(fmt::format("{}.{}", section, key.name))->second;
      if (!key.method.empty() && !here.given && text(section + ".method") != key.method) continue;
      auto const& value = here.text;
      out += fmt::format("{} ={}{}{}\n", key.name, value.empty() ? "" : " ", value,
                         value.empty() && !key.inherits.empty() ? fmt::format("  # as {}", key.inherits) : "");
    }
  };
  for (auto const& section : sections())
    if (section != "group") write(section, std::string(section));
  for (auto const& group : groups_) write("group", std::string(group_prefix) + group);
  return out;
}

std::vector<std::string> Deck::disagreements(Deck const& other) const {
  std::vector<std::string> out;
  auto const say = [&](std::string const& what, std::string const& mine, std::string const& theirs, std::string const& why) {
    out.push_back(fmt::format("{}: {}, {}{}", what, mine, theirs, why));
  };
  auto const compare = [&](std::string const& name, std::string const& why) {
    auto const said = [&](Deck const& deck) { return fmt::format("'{}' {}", deck.effective(name), deck.source(name)); };
    if (effective(name) != other.effective(name)) say(name, said(*this), said(other), why);
  };
  auto const schedule = text("optimizer.schedule");
  for (auto const& key : schema()) {
    if (key.section == "group") continue;
    auto const name = fmt::format("{}.{}", key.section, key.name);
    if (!key.may_change)
      compare(name, "");
    else if (name == "run.steps" && schedule != "constant" && schedule != "adaptive")
      compare(name,
              fmt::format(" (schedule {} depends on it; to train longer, start a run with optimizer.init = this checkpoint)",
                          schedule));
  }
  if (groups_ != other.groups_) {
    auto const said = [](Deck const& deck) { return fmt::format("'{}' in {}", fmt::join(deck.groups_, ", "), deck.origin_); };
    say("groups", said(*this), said(other), "");
    return out;
  }
  for (auto const& group : groups_)
    for (auto const& key : schema())
      if (key.section == "group" && !key.may_change) compare(fmt::format("group.{}.{}", group, key.name), "");
  return out;
}

}  // namespace kaon
