#ifndef KAON_RUN_TRAIN_MAIN_HPP
#define KAON_RUN_TRAIN_MAIN_HPP

#include <kaon/run/start/banner.hpp>
#include <kaon/run/start/offer_method.hpp>
#include <kaon/run/start/offer_norm.hpp>
#include <kaon/run/start/offer_objective.hpp>

#include <functional>
#include <string>

namespace kaon {

/// What a program brings to train_main.
struct Registrations {
  std::string program = "kaon-train";  ///< its name, for messages and --help
  Build build = {};                    ///< for --version, log and checkpoints
  /// offer_objective, offer_method, offer_norm, register_compressor: called once, before the command line is read.
  std::function<void()> offer = {};
};

/// The main of kaon-train, and of programs that are it with objectives, methods, norms and compressors of their own: command
/// line, decks, signals, ranks, threads, checkpoints, stop rules, exit codes. It starts and ends MPI and Kokkos. Returns the exit
/// code, or ends the process with it.
int train_main(int argc, char** argv, Registrations const& own = {});

}  // namespace kaon

#endif
