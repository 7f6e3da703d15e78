// command-line: the words of a command line, each ended by a zero byte.
#include "target.hpp"

#include <kaon/run/start/arguments.hpp>

#include <cmath>
#include <utility>

namespace kaon::fuzz {
namespace {

void run_command_line(InputView input) {
  std::vector<std::string> words;
  std::string word;
  for (auto const c : input)
    if (c == 0)
      words.push_back(std::exchange(word, {}));
    else
      word += static_cast<char>(c);
  if (!word.empty()) words.push_back(word);
  auto const arguments = parse_arguments(words);
  demand(arguments.help || arguments.version || !arguments.deck.empty() || arguments.restart, "neither a deck nor a restart");
  demand(!arguments.time_limit || (std::isfinite(*arguments.time_limit) && *arguments.time_limit > 0), "a time limit of no time");
  for (auto const& o : arguments.overrides) demand(o.find('=') != std::string::npos, "an override without a value");
  for (auto const& k : arguments.kokkos) demand(k.rfind("--kokkos-", 0) == 0, "an option that is not Kokkos' went to Kokkos");
}

std::vector<Input> seeds_of_command_line() {
  std::vector<Input> all;
  std::vector<std::vector<std::string>> const lines{{"-i", "a.deck"},
                                                    {"-i", "a.deck", "-r", "run.steps=5", "-d", "out", "-t", "1-02:03:04", "-c"},
                                                    {"-r", "latest", "-n", "group.all.radius=0.1", "--kokkos-threads=2"},
                                                    {"--input=a", "--restart=b.h5", "--directory=c", "--time=10:00", "--resolve"},
                                                    {"--help"},
                                                    {"--version", "--", "-x.y=1"}};
  for (auto const& words : lines) {
    std::string text;
    for (auto const& w : words) text += w + '\0';
    all.push_back(bytes_of(text));
  }
  return all;
}

}  // namespace

Target command_line_target() {
  return {"command-line",
          {Exit::usage},
          512,
          run_command_line,
          seeds_of_command_line,
          {"-i",          "-r",     "-d",          "-t",      "-n",     "-c",        "-h",         "--input",   "--restart",
           "--directory", "--time", "--resolve",   "--check", "--help", "--version", "--override", "--kokkos-", "--",
           "=",           ".",      "run.steps=5", "latest",  ":59",    "999999999", "-ndc"}};
}

}  // namespace kaon::fuzz
