#include <kaon/core/error.hpp>
#include <kaon/deck/nearest.hpp>
#include <kaon/deck/reference.hpp>
#include <kaon/run/start/arguments.hpp>
#include <kaon/run/start/kokkos_options.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

namespace kaon {

namespace {

namespace po = boost::program_options;

po::options_description options() {
  po::options_description all("Options");
  auto const value = [](char const* name) { return po::value<std::string>()->value_name(name); };
  all.add_options()                                                             //
      ("input,i", value("deck"), "the input deck; -: from the standard input")  //
      ("restart,r", value("[file|latest|auto]"),
       "continue from a checkpoint; latest without a value; without -i its deck is used; auto: latest, or a fresh start while "
       "nothing is committed; DIR/checkpoints/FILE goes on in DIR (an older one is a branch: newer ones are set aside); a file "
       "elsewhere begins a run in the folder of -d")                                                                     //
      ("directory,d", value("rundir"), "run folder; the same as run.directory=rundir")                                   //
      ("time,t", value("hh:mm:ss"), "save and stop before this much time has passed (also mm:ss, seconds, d-hh:mm:ss)")  //
      ("resolve,n", "print the resolved deck (every key, defaults included) and exit")                                   //
      ("check,c", "check deck, data, shapes, compressors, checkpoint and run folder, print the plan, train nothing")     //
      ("help,h", "this text")                                                                                            //
      ("version", "version, git hash and configuration");
  return all;
}

bool starts_with(std::string const& text, char const* prefix) { return text.rfind(prefix, 0) == 0; }

// A word of the form section.key=value, so that "-r run.steps=5" is a restart from the latest checkpoint and an override.
bool is_override(std::string const& word) {
  auto const name = word.substr(0, word.find('='));
  return name.size() < word.size() && name.find('.') != std::string::npos && name.find('/') == std::string::npos;
}

// Boost takes no separate word as the value of an option whose value may be missing: -r gets its value here.
std::vector<std::string> with_restart_value(std::vector<std::string> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") break;
    if (words[i] != "-r" && words[i] != "--restart") continue;
    bool const valued = i + 1 < words.size() && !starts_with(words[i + 1], "-") && !is_override(words[i + 1]);
    words[i] = "--restart=" + (valued ? words[i + 1] : std::string("latest"));
    if (valued) words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  return words;
}

[[noreturn]] void unknown_option(std::string const& given) {
  if (!starts_with(given, "--")) throw UsageError(fmt::format("unknown option {} (--help shows all)", given));
  auto const known = options();
  std::vector<std::string> names;
  for (auto const& option : known.options()) names.push_back("--" + option->long_name());
  auto const bare = given.substr(0, given.find('='));
  throw UsageError(fmt::format("unknown option {}; the nearest is {} (--help shows all)", given, nearest(bare, names)));
}

po::variables_map read(std::vector<std::string> const& words) {
  auto all = options();
  all.add_options()("override", po::value<std::vector<std::string>>());
  po::positional_options_description rest;
  rest.add("override", -1);
  po::variables_map map;
  try {
    auto const style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(all).positional(rest).style(style).run(), map);
    po::notify(map);
  } catch (po::unknown_option const& e) {
    unknown_option(e.get_option_name());
  } catch (po::error const& e) {
    throw UsageError(fmt::format("command line: {} (--help shows all options)", e.what()));
  }
  return map;
}

}  // namespace

Arguments parse_arguments(std::vector<std::string> const& given) {
  Arguments out;
  std::vector<std::string> words;
  for (auto const& word : given) (starts_with(word, "--kokkos-") ? out.kokkos : words).push_back(word);
  if (std::any_of(words.begin(), words.end(), [](std::string const& w) { return starts_with(w, "--override"); }))
    throw UsageError("unknown option --override; write section.key=value by itself");
  auto const map = read(with_restart_value(words));
  auto const text = [&](char const* name) { return map.count(name) ? map[name].as<std::string>() : std::string(); };
  out.deck = text("input");
  if (map.count("restart")) out.restart = text("restart");
  if (map.count("time")) out.time_limit = parse_duration(text("time"));
  out.show_deck = map.count("resolve") > 0;
  out.check = map.count("check") > 0;
  out.help = map.count("help") > 0;
  out.version = map.count("version") > 0;
  if (map.count("override")) out.overrides = map["override"].as<std::vector<std::string>>();
  for (auto const& word : out.overrides)
    if (!is_override(word))
      throw UsageError(fmt::format("command line: '{}' is not of the form section.key=value; a deck is named with -i", word));
  if (map.count("directory")) out.overrides.push_back("run.directory=" + text("directory"));
  if (out.help || out.version) return out;
  if (out.deck.empty() && !out.restart) throw UsageError("name a deck with -i, or a checkpoint to continue from with -r");
  if (out.show_deck && out.check) throw UsageError("-n prints the deck and -c checks the run: choose one");
  out.kokkos = kokkos_options(out.kokkos);
  return out;
}

Arguments parse_arguments(int argc, char const* const* argv) {
  return parse_arguments(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}

std::string help_text(std::string const& program) {
  std::ostringstream out;
  out << program
      << " -i deck [-r [file|latest|auto]] [-d rundir] [-t hh:mm:ss] [-n|-c] [section.key=value ...] [--kokkos-...]\n\n"
      << options()
      << "\nSignals: USR1, TERM, INT and XCPU save and stop; USR2 saves and goes on; a second INT kills.\n"
         "Files in the run folder: stop saves and stops, save saves and goes on; both are removed when it is done.\n"
         "Exit codes: 0 finished, 75 stopped early with a checkpoint (submit again), 64 usage, 65 bad input or checkpoint,\n"
         "70 numerical failure, 74 I/O, MPI or memory, or a stop signal that could not be served.\n\n"
      << deck_help();
  return out.str();
}

}  // namespace kaon
