#include <kaon/deck/deck.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/deck/table.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon {

bool Deck::shown(std::string const& group, Key const& key) const {
  auto const name = fmt::format("group.{}.{}", group, key.name);
  if (key.name != "method") return counts(name) || changed(name);
  return std::any_of(groups_.begin(), groups_.end(),
                     [&](std::string const& g) { return changed(fmt::format("group.{}.method", g)); });
}

bool Deck::shown(std::string const& section) const {
  auto const& always = deck_table().always;
  if (std::find(always.begin(), always.end(), section) != always.end()) return true;
  for (auto const& key : schema())
    if (auto const name = section + "." + key.name; key.section == section && (counts(name) || changed(name))) return true;
  return false;
}

std::string Deck::resolved() const {
  std::string out = "# Every key of the deck\n";
  auto const line = [&](std::string const& name, std::string const& value, std::string const& inherits) {
    out += fmt::format("{} ={}{}{}\n", name, value.empty() ? "" : " ", value,
                       value.empty() && !inherits.empty() ? fmt::format("  # as {}", inherits) : "");
  };
  auto const write = [&](std::string const& section, std::string const& group) {
    out += fmt::format("\n[{}]\n", section);
    for (auto const& key : schema())
      if (key.section == (group.empty() ? section : "group") && (group.empty() || shown(group, key)))
        line(key.name, values_.find(fmt::format("{}.{}", section, key.name))->second.text, key.inherits);
    for (auto const& [name, value] : values_)  // keys that the program does not know
      if (value.foreign && name.rfind(section + ".", 0) == 0 && name.rfind('.') == section.size() && !find_key(name))
        line(name.substr(section.size() + 1), value.text, "");
  };
  std::vector<std::string> order;
  for (auto const& section : sections())
    if (section != "group" && shown(section)) order.push_back(section);
  for (auto const& section : foreign_) {
    auto const before = std::find(order.begin(), order.end(), section.behind);
    order.insert(before == order.end() ? order.end() : before + 1, section.name);
  }
  for (auto const& section : order) write(section, "");
  for (auto const& group : groups_) write("group." + group, group);
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
  for (auto const& [name, value] : other.values_)
    if (value.foreign && !values_.count(name))
      say(name, "unknown to this program", fmt::format("'{}' {}", value.text, other.source(name)), "");
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
