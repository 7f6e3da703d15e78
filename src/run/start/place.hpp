#ifndef KAON_RUN_START_PLACE_HPP
#define KAON_RUN_START_PLACE_HPP

#include <kaon/mpi/communicator.hpp>
#include <kaon/run/start/arguments.hpp>

#include <optional>
#include <string>

namespace kaon {

/// The run folder of a checkpoint's path: DIR of DIR/checkpoints/FILE. Nothing for a path of another form; links are not
/// followed.
std::optional<std::string> run_folder_of(std::string const& checkpoint);

/// Where the run of `-r PATH` goes on: in the folder whose checkpoint it is, whatever deck or checkpoint name, unless the command
/// line names one. Adds that folder to the overrides and returns a line for the log, empty where nothing is to be said. Throws
/// UsageError for a folder, and for a file that lies in no run folder while none is named. Collective.
std::string place_run(Arguments& arguments, Communicator const& comm);

/// What -r latest means in a run folder: "latest", or the checkpoint of a going back that was decided and not yet done.
/// Collective.
std::string latest_in(std::string const& directory, Communicator const& comm);

}  // namespace kaon

#endif
