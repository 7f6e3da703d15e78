// The same run with another number of workers: another algorithmic state.
#include "commands.hpp"
#include "output.hpp"
#include "resize_plan.hpp"
#include "text.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/identity.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/checkpoint/writer.hpp>
#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/files/part.hpp>
#include <kaon/mpi/communicator.hpp>

#include <fmt/format.h>

#include <kaon_build_info.hpp>

#include <filesystem>
#include <limits>

namespace kaon::ckpt {
namespace {

/// Checkpoints are written by the ranks of a communicator, here by a single process.
struct Mpi {
  Mpi() { KAON_MPI(MPI_Init(nullptr, nullptr)); }
  ~Mpi() { finalize_mpi(); }
};

Deck deck_of(CheckpointFile const& file, std::int64_t workers) {
  auto const deck =
      Deck::from_checkpoint(file.info().deck, "the deck in " + file.path(), {fmt::format("optimizer.workers={}", workers)});
  if (deck.text("objective.kind") == "least-squares")
    throw InputError(fmt::format("{}: its problem file {} fixes the number of workers, so no run could go on with another one",
                                 file.path(), deck.text("least-squares.problem")));
  return deck;
}

CheckpointInfo info_for(CheckpointFile const& file, Deck const& deck, std::int64_t workers) {
  CheckpointInfo info = file.info();
  info.workers = static_cast<std::uint64_t>(workers);
  info.deck = deck.resolved();
  info.version = KAON_VERSION;
  info.git_hash = KAON_GIT_HASH;
  info.created = utc_now();
  RunIdentity identity;  // another state is another run
  identity.run = new_run_id();
  identity.parent = Parent{run_in(info.provenance), info.step, file.path(), "resized"};
  to_provenance(identity, info.provenance);
  auto& line = info.provenance[resized_key];
  line = fmt::format("from {} to {} workers, file {} of {}{}{}", file.info().workers, workers, file.path(), file.info().created,
                     line.empty() ? "" : "; before: ", line);
  return info;
}

/// As Checkpoints::save commits: written beside, synced, read back, renamed.
void write(std::string const& out, std::string const& from, CheckpointInfo const& info, Registry const& registry) {
  folder::require_room(out, file_bytes(info, registry));
  files::Part part(out);
  {
    Mpi const mpi;
    Communicator const comm(MPI_COMM_WORLD);
    require_consistent(comm, info, registry);
    write_checkpoint(comm, part.name(), info, registry);
  }
  folder::sync(part.name());
  {
    CheckpointFile const back(part.name());
    back.require_fields(registry);
    back.verify();
  }
  require_free(out, from, false);
  part.commit();
}

}  // namespace

int resize(std::string const& path, std::int64_t workers, std::string const& out) {
  // 1. What cannot be.
  if (workers < 1 || workers > std::numeric_limits<int>::max())
    throw UsageError(fmt::format("-w {}: a run has at least 1 worker and at most {}", workers, std::numeric_limits<int>::max()));
  require_free(out, path, false);
  CheckpointFile const file(path);
  if (file.info().workers == static_cast<std::uint64_t>(workers))
    throw UsageError(fmt::format("there is nothing to do: {} has {} worker{} already", path, workers, workers == 1 ? "" : "s"));
  Deck const deck = deck_of(file, workers);
  ResizePlan const plan(file, deck, static_cast<std::uint64_t>(workers));

  // 2. Is the old state what it should be?
  file.verify();
  double const off = plan.distance_from_mean();

  // 3. The new one.
  write(out, path, info_for(file, deck, workers), plan.registry());

  // 4. What was done to what.
  complain("kaon-ckpt: {} is ANOTHER ALGORITHMIC STATE: {} workers of {} became {}, at step {}.\n", out, file.info().workers,
           path, workers, file.info().step);
  complain("A run that goes on from it is not the run that was, whatever its ranks.\n{}", plan.report(off));
  complain("  go on in a run folder of its own:  kaon-train -r {} -d FOLDER  (-c only checks)\n", out);
  print("{}: {} workers, step {}, {} datasets\n", out, workers, file.info().step, plan.registry().size());
  return 0;
}

}  // namespace kaon::ckpt
