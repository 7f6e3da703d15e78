#include "target.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace kaon::fuzz {
namespace {

[[noreturn]] void finding(std::string_view what) {
  std::fprintf(stderr, "fuzz: FINDING: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace

std::vector<Target> const& targets() {
  static std::vector<Target> const all{
      deck_target(),    command_line_target(),    data_target(),           message_target(),    payload_target(),
      problem_target(), foreign_problem_target(), forged_problem_target(), checkpoint_target(), forged_checkpoint_target(),
      weights_target()};
  return all;
}

Target const& target(std::string const& name) {
  auto const at = std::find_if(targets().begin(), targets().end(), [&](Target const& t) { return t.name == name; });
  if (at != targets().end()) return *at;
  std::ostringstream text;
  text << "no target is called '" << name << "'; there are:";
  for (auto const& t : targets()) text << ' ' << t.name;
  throw UsageError(text.str());
}

Outcome feed(Target const& target, InputView input, std::string* why) {
  try {
    target.run(input);
    return Outcome::taken;
  } catch (Error const& e) {
    if (why) *why = e.what();
    if (std::find(target.codes.begin(), target.codes.end(), e.code()) != target.codes.end()) return Outcome::refused;
    std::ostringstream text;
    text << "target " << target.name << ": exit code " << static_cast<int>(e.code()) << " is not one of its: " << e.what();
    finding(text.str());
  } catch (std::exception const& e) {
    std::ostringstream text;
    text << "target " << target.name << ": another exception than kaon::Error: " << e.what();
    finding(text.str());
  }
}

void demand(bool holds, std::string_view what) {
  if (!holds) finding(what);
}

}  // namespace kaon::fuzz
