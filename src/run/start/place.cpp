#include <kaon/run/start/place.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/identity.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace kaon {

namespace fs = std::filesystem;

std::optional<std::string> run_folder_of(std::string const& checkpoint) {
  auto const parent = fs::path(checkpoint).parent_path();
  auto full = fs::absolute(parent.empty() ? fs::path(".") : parent).lexically_normal();
  if (!full.has_filename()) full = full.parent_path();  // a slash at the end
  if (full.filename() != "checkpoints") return {};
  if (parent.filename() != "checkpoints") return full.parent_path().string();
  auto const directory = parent.parent_path().string();
  return directory.empty() ? "." : directory;
}

namespace {

/// A folder is given to -d.
void refuse_a_folder(std::string const& path, Communicator const& comm) {
  std::string cure;  // rank 0's
  std::error_code ignored;
  if (comm.rank() == 0 && fs::is_directory(path, ignored)) {
    auto const run = folder::run_folder_at(path);
    cure = run ? fmt::format("-r -d {} goes on from the newest checkpoint of the run there", *run)
               : "name a checkpoint, or a run folder with -d";
  }
  cure = comm.broadcast(cure, 0);
  if (!cure.empty()) throw UsageError(fmt::format("-r {}: this is a folder. Cure: {}", path, cure));
}

}  // namespace

std::string place_run(Arguments& arguments, Communicator const& comm) {
  if (!arguments.restart || *arguments.restart == "latest" || *arguments.restart == "auto") return {};
  auto const& path = *arguments.restart;
  refuse_a_folder(path, comm);
  if (std::any_of(arguments.overrides.begin(), arguments.overrides.end(),
                  [](auto const& o) { return o.rfind("run.directory=", 0) == 0; }))
    return {};
  std::string found;  // rank 0's: "": no such file, "?": in no run folder
  if (comm.rank() == 0) {
    std::error_code ignored;
    if (fs::exists(path, ignored)) found = run_folder_of(path).value_or("?");
  }
  found = comm.broadcast(found, 0);
  if (found.empty()) return {};  // a name inside the run folder
  if (found == "?")
    throw UsageError(
        fmt::format("-r {}: this file lies in no run folder (DIR/checkpoints), so name with -d the folder of the run "
                    "that is to begin from it",
                    path));
  arguments.overrides.push_back("run.directory=" + found);
  return fmt::format("goes on in {}, where the checkpoint is", found);
}

std::string latest_in(std::string const& directory, Communicator const& comm) {
  std::string which = "latest";
  Ballot ballot(comm);
  if (comm.rank() == 0)
    ballot.attempt([&] {
      if (auto const identity = read_identity(directory); identity && identity->aside)
        which = directory + "/checkpoints/" + folder::step_name(identity->aside->step);
    });
  ballot.vote("reading " + directory);
  return comm.broadcast(which, 0);
}

}  // namespace kaon
