#include <kaon/run/start/run_folder.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>
#include <kaon/files/system.hpp>
#include <kaon/run/start/set_aside.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace kaon {
namespace {

namespace fs = std::filesystem;

void on_root(Communicator const& comm, std::string const& doing, std::function<void()> const& work) {
  Ballot ballot(comm);
  if (comm.rank() == 0) ballot.attempt(work);
  ballot.vote(doing);
}

bool is_there(std::string const& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

/// The step of the last whole row; 0 without rows.
std::uint64_t last_row(std::string const& path) {
  if (!files::identity(path) || fs::is_directory(path)) return 0;
  auto const text = files::read_all(path);
  auto const end = text.rfind('\n');
  if (end == std::string::npos || end == text.find('\n')) return 0;
  return std::strtoull(text.c_str() + text.rfind('\n', end - 1) + 1, nullptr, 10);
}

void require_writable(std::string const& path) {
  if (::access(path.c_str(), W_OK | X_OK) != 0) files::fail("write into", path, errno);
}

/// A run there would be taken for a checkpoint's neighbour, and be in the way of the run whose folder it is.
void require_own_place(std::string const& directory) {
  std::error_code error;
  for (auto at = fs::weakly_canonical(fs::absolute(directory, error), error); at.has_relative_path(); at = at.parent_path())
    if (at.filename() == "checkpoints" && !folder::steps(at.string()).empty())
      throw InputError(
          fmt::format("{} lies among the checkpoints of the run in {}. Cure: name with -d that folder, to go on there, "
                      "or another one",
                      directory, at.parent_path().string()));
}

std::string whole_path(std::string const& path) {
  std::error_code error;
  auto const whole = fs::canonical(path, error);
  return error ? path : whole.string();
}

/// What the newest readable checkpoint says of its run.
std::string run_of_newest(std::string const& checkpoints) {
  for (auto const step : folder::steps(checkpoints)) try {
      return run_in(CheckpointFile(checkpoints + "/" + folder::step_name(step)).info().provenance);
    } catch (Error const&) {  // it is passed over, as a restart would
    }
  return {};
}

}  // namespace

RunFolder::RunFolder(Communicator const& comm, std::string directory, Build const& build, Log const& log)
    : comm_(comm), directory_(std::move(directory)), build_(build), log_(log) {}

void RunFolder::hold(bool make) {
  if (held_) return;
  on_root(comm_, "starting in " + directory_, [&] { require_own_place(directory_); });
  if (looks_only_) {
    on_root(comm_, "checking " + directory_, [&] { look(make); });
    return;
  }
  lock(make);
  if (held_)
    on_root(comm_, "starting in " + directory_, [&] {
      require_usable();
      finish_aside();
    });
}

void RunFolder::lock(bool make) {
  bool there = true;
  on_root(comm_, "starting in " + directory_, [&] {
    if (make) folder::make(directory_);
    std::error_code ignored;
    there = fs::is_directory(directory_, ignored);
    if (!there && is_there(directory_)) files::fail("use as a run folder", directory_, ENOTDIR);
    if (there) lock_ = std::make_unique<RunLock>(directory_, "kaon-train");
  });
  if (!comm_.all(there)) return;
  for (bool waits = true; waits;) {  // in short turns, so that no rank waits long for another
    bool mine = true;
    on_root(comm_, "starting in " + directory_, [&] {
      mine = lock_->attempt();
      for (auto const& note : lock_->notes()) log_.line(note);
    });
    waits = !comm_.all(mine);
    if (waits) RunLock::pause();
  }
  held_ = true;
}

void RunFolder::look(bool make) const {
  if (!is_there(directory_)) {
    if (!make) return;
    auto above = fs::absolute(directory_).lexically_normal();
    while (!is_there(above.string())) above = above.parent_path();
    if (!fs::is_directory(above)) files::fail("create folder", directory_, ENOTDIR);
    return require_writable(above.string());
  }
  if (!fs::is_directory(directory_)) files::fail("use as a run folder", directory_, ENOTDIR);
  require_usable();
  require_writable(directory_);
  if (is_there(checkpoints())) require_writable(checkpoints());
  if (auto const other = RunLock::look(directory_)) {
    auto const& [who, finding] = *other;
    if (finding.life == Life::alive) throw IoError(fmt::format("{} is in use by {}", directory_, who));
    if (finding.life == Life::unknown)
      log_.warning(fmt::format("{} may be in use by {} ({}); a run would wait for a sign of life", directory_, who, finding.why));
  }
  if (auto const identity = read_identity(directory_); identity && identity->aside)
    log_.line(fmt::format("{} was going back to step {}; a run would complete that", directory_, identity->aside->step));
}

void RunFolder::require_usable() const {
  std::error_code ignored;
  if (is_there(checkpoints()) && !fs::exists(checkpoints(), ignored))
    throw IoError(
        fmt::format("{} is a link to {}, which is not there. Cure: bring that folder back; or, to begin anew, delete the link "
                    "and choose another run folder with -d if this one has rows",
                    checkpoints(), folder::target_of(checkpoints())));
  for (auto const* link : {"latest", "best"})
    if (fs::is_directory(fs::symlink_status(checkpoints() + "/" + link, ignored)))
      throw IoError(fmt::format("{}/{} is a folder, where the link to a checkpoint goes: move it away", checkpoints(), link));
  auto const rows = directory_ + "/" + row_files[0];
  if (!folder::steps(checkpoints()).empty()) return;
  if (auto const step = last_row(rows); step > 0)
    throw InputError(
        fmt::format("{} holds an earlier run, up to step {}, and there is no committed checkpoint in {} to continue it "
                    "from. Cure: bring its checkpoints back, choose another run folder with -d, or move this one away",
                    rows, step, checkpoints()));
}

void RunFolder::require_held(bool look) const {
  if (lock_) lock_->require_held(look);
}

void RunFolder::require_no_run() const {
  on_root(comm_, "starting a run", [&] {
    if (auto const steps = folder::steps(checkpoints()); !steps.empty())
      throw InputError(
          fmt::format("{} holds an earlier run, with a checkpoint at step {}; continue it with -r, choose another run "
                      "folder with -d, or move it away",
                      directory_, steps.front()));
    if (is_there(directory_)) require_usable();
  });
}

bool RunFolder::begun() const {
  bool begun = true;
  on_root(comm_, "looking for checkpoints", [&] {
    begun = !folder::steps(checkpoints()).empty();
    if (begun || !is_there(directory_)) return;
    if (auto const id = read_identity(directory_); id && id->parent && id->parent->how != "weights")
      throw InputError(
          fmt::format("{} in {} was to begin from step {} of {}, and nothing is committed yet: name that file again with "
                      "-r, or leave out -r to begin anew",
                      id->describe(), directory_, id->parent->step, id->parent->file));
  });
  return comm_.all(begun);
}

Beginning RunFolder::judge(Restored const& from, bool newest) const {
  bool back = false, elsewhere = false;
  on_root(comm_, "restarting", [&] {
    elsewhere = !files::same_file(files::folder_of(from.path), checkpoints());
    if (elsewhere) return;
    auto const of = run_in(from.info.provenance);
    auto const id = read_identity(directory_);
    auto const newest_says = id ? std::string() : run_of_newest(checkpoints());
    auto const theirs = id ? id->describe() : fmt::format("run {}", newest_says);
    bool const mine = id ? id->owns(of, from.info.step) : of.empty() || newest_says.empty() || newest_says == of;
    if (!mine)
      throw InputError(
          fmt::format("{} is of run {}, and {} holds {}. Cure: begin a run from it in a folder of its own (-r {} -d FOLDER), "
                      "or move the file away",
                      from.path, of, directory_, theirs, from.path));
    auto const steps = folder::steps(checkpoints());
    back = !newest && folder::target_of(checkpoints() + "/latest") != folder::step_name(from.info.step) && !steps.empty() &&
           steps.front() > from.info.step;
    if (back && looks_only_)
      log_.line(fmt::format("a run would go back to step {} and set aside the {} newer checkpoints of {}", from.info.step,
                            std::count_if(steps.begin(), steps.end(), [&](auto s) { return s > from.info.step; }), directory_));
  });
  if (comm_.max(static_cast<std::int64_t>(elsewhere)) != 0) {
    require_no_run();
    return Beginning::from_another;
  }
  return comm_.max(static_cast<std::int64_t>(back)) != 0 ? Beginning::goes_back : Beginning::goes_on;
}

RunIdentity RunFolder::fresh() const {
  RunIdentity id;
  id.run = new_run_id();
  id.created = utc_now();
  id.version = build_.version;
  id.git_hash = build_.git_hash;
  return id;
}

/// For a folder without run.json.
RunIdentity RunFolder::adopted(CheckpointInfo const& info) const {
  auto id = fresh();
  if (auto const of = run_in(info.provenance); !of.empty()) id.run = of;
  log_.line(fmt::format("{} had no {}: it holds run {} from now on", directory_, RunIdentity::file, id.run));
  write_identity(directory_, id);
  return id;
}

void RunFolder::begin(Beginning how, std::optional<Restored> const& from, std::optional<Parent> const& weights) {
  on_root(comm_, "starting in " + directory_, [&] {
    if (how == Beginning::goes_on || how == Beginning::goes_back) {
      auto const before = read_identity(directory_);
      identity_ = before ? *before : adopted(from->info);
      if (how == Beginning::goes_back) go_back(identity_, *from);
      log_.line(identity_.describe());
      return;
    }
    identity_ = fresh();
    if (from) identity_.parent = Parent{run_in(from->info.provenance), from->info.step, whole_path(from->path), "checkpoint"};
    if (!from && weights) identity_.parent = weights, identity_.parent->file = whole_path(weights->file);
    write_identity(directory_, identity_);
    log_.line(identity_.describe());
  });
}

/// The new run.json is the decision: what is killed before it has not gone back, what is killed after it goes on doing so.
void RunFolder::go_back(RunIdentity const& before, Restored const& from) {
  auto const step = from.info.step;
  auto id = fresh();
  id.parent = Parent{before.run, step, whole_path(from.path), "branch"};
  id.earlier = before.earlier;
  for (auto& e : id.earlier) e.until = std::min(e.until, step);
  id.earlier.push_back({before.run, step});
  id.aside = Aside{name_aside(directory_, step), step, to_json(before)};
  write_identity(directory_, id);
  identity_ = id;
  finish_aside();
}

void RunFolder::finish_aside() {
  auto id = read_identity(directory_);
  if (!id || !id->aside) return;
  auto const count = set_aside(directory_, *id->aside);
  log_.line(fmt::format("goes back to step {}: what came after it, {} checkpoint{} and the rows, is set aside in {}/{}",
                        id->aside->step, count, count == 1 ? "" : "s", directory_, id->aside->folder));
  id->aside.reset();
  write_identity(directory_, *id);
  identity_ = *id;
}

Checkpoints::Guard RunFolder::guard() const {
  return {[this] { require_held(true); },
          [this](CheckpointInfo const& info) { return identity_.owns(run_in(info.provenance), info.step); }};
}

}  // namespace kaon
