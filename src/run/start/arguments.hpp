#ifndef KAON_RUN_START_ARGUMENTS_HPP
#define KAON_RUN_START_ARGUMENTS_HPP

#include <optional>
#include <string>
#include <vector>

namespace kaon {

/// The command line of kaon-train, and of programs that call train_main:
///   kaon-train -i deck [-r [file|latest|auto]] [-d rundir] [-t hh:mm:ss] [-n|-c] [section.key=value …] [--kokkos-…]
struct Arguments {
  std::string deck;                    ///< -i; "" takes the deck from the checkpoint
  std::optional<std::string> restart;  ///< -r: a file, "auto" or "latest" (also when -r has no value)
  std::optional<double> time_limit;    ///< -t, seconds
  bool show_deck = false;              ///< -n: print the resolved deck and exit
  bool check = false;  ///< -c: check deck, data, shapes, compressors and checkpoint, print the plan, train nothing
  bool help = false;
  bool version = false;
  std::vector<std::string> overrides;  ///< section.key=value, in order; -d comes as run.directory=…
  std::vector<std::string> kokkos;     ///< --kokkos-…, as kokkos_options() gives them
};

/// Throws UsageError for anything unknown (naming the nearest option), a missing or repeated value, neither -i nor -r, or -n with
/// -c. `arguments` are those after the program's name.
Arguments parse_arguments(std::vector<std::string> const& arguments);
Arguments parse_arguments(int argc, char const* const* argv);

/// The text of --help: usage, options, exit codes, all keys of the deck, offered ones among them.
std::string help_text(std::string const& program = "kaon-train");

}  // namespace kaon

#endif
