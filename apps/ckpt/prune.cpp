// Deletes old checkpoints of one run, whose folder no other program may use meanwhile.
#include "commands.hpp"
#include "text.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/identity.hpp>
#include <kaon/checkpoint/lock.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

namespace kaon::ckpt {
namespace {

namespace fs = std::filesystem;

std::string latest_of(std::string const& folder) { return folder::target_of(folder + "/latest"); }

/// A committed file as it was when the folder was listed.
struct Committed {
  std::uint64_t step = 0;
  std::string name;
  ino_t inode = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> stays;  ///< reasons; none: it goes
};

struct Info {
  ino_t inode = 0;
  std::uint64_t bytes = 0;
};
Info look_at(std::string const& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {s.st_ino, static_cast<std::uint64_t>(s.st_size)};
}

/// The folder at one moment.
struct Listing {
  std::vector<Committed> files;  ///< newest step first
  std::string latest, best;
  bool has_latest() const {
    return std::any_of(files.begin(), files.end(), [&](auto const& c) { return c.name == latest; });
  }
};

Listing list(std::string const& folder) {
  Listing found;
  for (auto const step : folder::steps(folder)) {
    auto const name = folder::step_name(step);
    auto const [inode, bytes] = look_at(folder + "/" + name);
    if (inode != 0) found.files.push_back({step, name, inode, bytes, {}});
  }
  found.latest = latest_of(folder);
  found.best = folder::target_of(folder + "/best");
  return found;
}

/// Empty when every block is sound.
std::string trouble_with(std::string const& path) {
  try {
    CheckpointFile(path).verify();
    return {};
  } catch (Error const& e) {
    return e.what();
  }
}

/// Gives every file that stays its reasons; returns how many of the newest are sound. A damaged file is none of the newest, and
/// is not deleted: its owner shall see it.
std::int64_t choose(Listing& all, std::string const& folder, Pruning const& how) {
  bool newer = all.has_latest();
  std::int64_t sound = 0;
  for (auto& c : all.files) {
    if (c.name == all.latest) newer = false;
    if (newer) {  // a running job is about to make it the latest, or a restart passed it over
      c.stays.emplace_back("newer than latest");
      continue;
    }
    if (c.name == all.latest) c.stays.emplace_back("latest");
    if (c.name == all.best && !how.drop_best) c.stays.emplace_back("best");
    if (how.every > 0 && c.step % static_cast<std::uint64_t>(how.every) == 0)
      c.stays.push_back(fmt::format("every {}", how.every));
    if (sound == how.keep) continue;
    auto const trouble = trouble_with(folder + "/" + c.name);
    if (trouble.empty()) {
      c.stays.push_back(fmt::format("newest {}", how.keep));
      ++sound;
    } else if (look_at(folder + "/" + c.name).inode != 0) {
      complain("kaon-ckpt: {} is not counted and not deleted: {}\n", c.name, trouble);
      c.stays.emplace_back("damaged");
    }
  }
  return sound;
}

/// Which files are the run's own: by run.json, else those that say what the newest readable one says. What is another run's
/// stays, and so does what cannot be asked.
class Ownership {
 public:
  Ownership(std::string const& run_folder, std::string const& folder, Listing const& all) : folder_(folder) {
    if (!run_folder.empty()) identity_ = read_identity(run_folder);
    for (auto const& c : all.files) {
      if (identity_) break;
      try {
        auto const run = run_in(CheckpointFile(folder_ + "/" + c.name).info().provenance);
        identity_.emplace().run = run;
      } catch (Error const&) {  // the next one tells
      }
    }
  }
  /// Why the file must stay; empty when it need not.
  std::string objection(Committed const& c) const {
    try {
      auto const info = CheckpointFile(folder_ + "/" + c.name).info();
      auto const of = run_in(info.provenance);
      return !identity_ || identity_->owns(of, info.step) ? std::string() : "of another run, " + of;
    } catch (Error const&) {
      return look_at(folder_ + "/" + c.name).inode == 0 ? std::string() : "cannot be read";
    }
  }

 private:
  std::string folder_;
  std::optional<RunIdentity> identity_;
};

/// The run folder of a checkpoint folder; empty for a folder of checkpoints that belongs to none.
std::string run_folder_of(std::string const& folder) {
  auto const whole = fs::absolute(folder).lexically_normal();
  auto const parent = (whole.has_filename() ? whole : whole.parent_path()).parent_path().string();
  bool const named = (whole.has_filename() ? whole : whole.parent_path()).filename() == "checkpoints";
  return named || fs::exists(parent + "/" + RunIdentity::file) ? parent : std::string();
}

/// Gives a file its name back, unless a job has written another one of this name meanwhile.
void restore(std::string const& trash, std::string const& path) {
  if (::link(trash.c_str(), path.c_str()) == 0 || errno == EEXIST)
    folder::remove(trash);
  else if (look_at(path).inode == 0)  // a file system without hard links
    folder::rename(trash, path);
}

/// Renames, then deletes. Returns why the file stays after all: a running job has replaced it or made it the latest meanwhile.
std::string retire(Committed const& c, std::string const& folder) {
  std::string const path = folder + "/" + c.name, trash = path + ".trash";
  try {
    folder::rename(path, trash);
  } catch (IoError const&) {
    if (look_at(path).inode != 0) throw;
    return {};  // the job retired it itself
  }
  if (latest_of(folder) == c.name || look_at(trash).inode != c.inode) {
    restore(trash, path);
    return "a job has just written it";
  }
  folder::sync(folder);
  folder::remove(trash);
  return {};
}

void line(char const* what, std::string const& name, std::uint64_t bytes, std::string const& why) {
  print("{:<7} {}  {:>10}{}{}\n", what, name, size_text(bytes), why.empty() ? "" : "  ", why);
}

}  // namespace

int prune(std::string const& given, Pruning const& how) {
  if (how.keep < 1) throw UsageError(fmt::format("--keep {}: at least 1 stays", how.keep));
  if (how.every < 0) throw UsageError(fmt::format("--every {}: the steps between those that stay, or 0 for none", how.every));
  std::string const folder = fs::is_directory(given + "/checkpoints") ? given + "/checkpoints" : given;

  // 1. Nobody else works here meanwhile.
  auto const none = [&](Listing const& all) {
    if (all.files.empty() && all.latest.empty()) throw InputError("there is no committed checkpoint in " + folder);
  };
  none(list(folder));
  auto const run_folder = run_folder_of(folder);
  std::optional<RunLock> lock;
  if (!how.dry_run)
    lock.emplace(run_folder.empty() ? folder : run_folder, "kaon-ckpt").hold([](std::string const& note) {
      std::fprintf(stderr, "kaon-ckpt: %s\n", note.c_str());
    });

  // 2. Who stays. A program that knows of no locks may be faster: then the folder is looked at anew.
  Listing all;
  std::int64_t sound = 0;
  for (int tries = 100; sound == 0; --tries) {
    all = list(folder);
    none(all);
    bool const whole = all.has_latest() || look_at(folder + "/" + all.latest).inode == 0;
    if (whole) sound = choose(all, folder, how);
    bool const changed = !whole || std::any_of(all.files.begin(), all.files.end(),
                                               [&](auto const& c) { return look_at(folder + "/" + c.name).inode != c.inode; });
    if (sound == 0 && !changed) throw InputError("no checkpoint in " + folder + " is sound: nothing is deleted");
    if (sound == 0 && tries == 0) throw IoError(folder + " changes faster than it can be read: nothing is deleted");
  }

  // 3. Who goes.
  std::uint64_t freed = 0, kept = 0, gone = 0;
  Ownership const ownership(run_folder, folder, all);
  for (auto const& c : all.files) {
    std::string why = fmt::format("{}", fmt::join(c.stays, ", "));
    if (why.empty()) why = ownership.objection(c);
    if (why.empty() && lock) lock->require_held();
    if (why.empty() && !how.dry_run) why = retire(c, folder);
    line(why.empty() ? "delete" : "keep", c.name, c.bytes, why);
    ++(why.empty() ? gone : kept);
    if (why.empty() && c.name == all.best && !how.dry_run) folder::remove(folder + "/best");
    if (why.empty()) freed += c.bytes;
  }
  for (auto const& name : folder::leftovers(folder)) {
    auto const bytes = look_at(folder + "/" + name).bytes;
    line(how.leftovers ? "delete" : "left", name, bytes,
         how.leftovers ? "unfinished" : "unfinished; --leftovers deletes it, when no job runs here");
    if (!how.leftovers) continue;
    if (!how.dry_run) folder::remove(folder + "/" + name);
    freed += bytes;
  }
  print("{}: {} kept, {} {}deleted, {}{}\n", folder, kept, gone, how.dry_run ? "would be " : "", size_text(freed),
        how.dry_run ? " (--dry-run: nothing was touched)" : " freed");
  return 0;
}

}  // namespace kaon::ckpt
