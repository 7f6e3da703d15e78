#include <kaon/checkpoint/checkpoints.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/checkpoint/companions.hpp>
#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/checkpoint/writer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>

namespace kaon {
namespace {

/// Rank 0's lines, on every rank.
std::vector<std::string> share(Communicator const& comm, std::vector<std::string> const& mine) {
  std::string text;
  for (auto const& line : mine) text += line + '\0';
  text = comm.broadcast(text, 0);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    auto const end = text.find('\0', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// Runs `work` on rank 0 alone; its failure is everyone's.
void on_root(Communicator const& comm, std::string const& doing, std::function<void()> const& work) {
  Ballot ballot(comm);
  if (comm.rank() == 0) ballot.attempt(work);
  ballot.vote(doing);
}

/// This rank's share of the blocks of a file.
void verify_share(Communicator const& comm, CheckpointFile const& file) {
  auto const size = static_cast<std::uint64_t>(comm.size()), rank = static_cast<std::uint64_t>(comm.rank());
  file.verify(file.blocks() * rank / size, file.blocks() * (rank + 1) / size);
}

/// Of the fields whose companions are compared, this rank's share.
void compare_share(Communicator const& comm, CheckpointFile const& file, Registry const& registry) {
  for (auto i = static_cast<std::size_t>(comm.rank()); i < registry.size(); i += static_cast<std::size_t>(comm.size()))
    require_companions(file, registry[i]);
}

void take(CheckpointFile const& file, Registry const& registry) {
  std::vector<unsigned char> buffer;
  for (auto const& f : registry) {
    if (f.needed.elements() == 0) continue;
    auto const* const stored = file.find(f);
    if (f.absent && !stored) {
      f.absent();
      continue;
    }
    if (!f.set) throw InputError("field " + f.path + " cannot be restored: set is not set");
    buffer.resize(f.needed.elements() * size_of(f.type));
    file.read(*stored, f.needed, buffer.data());
    f.set(buffer.data());
  }
}

InputError none_left(std::vector<std::string> const& why) {
  return InputError(fmt::format("no usable checkpoint: {}", fmt::join(why, "\n")));
}

}  // namespace

Checkpoints::Checkpoints(Communicator const& comm, std::string folder, Retention const& retention)
    : comm_(comm.get()), folder_(std::move(folder)), retention_(retention) {
  require(retention.keep >= 0, "Checkpoints: keep is negative");
}

void Checkpoints::prepare() {
  std::vector<std::string> gone;
  on_root(comm_, "preparing the checkpoint folder", [&] {
    folder::make(folder_);
    for (auto const& name : folder::leftovers(folder_)) {
      folder::remove(folder_ + "/" + name);
      gone.push_back(folder_ + "/" + name);
    }
  });
  removed_ = share(comm_, gone);
  prepared_ = true;
}

void Checkpoints::require_room(CheckpointInfo const& info, Registry const& registry) const {
  on_root(comm_, "looking for room in " + folder_,
          [&] { folder::require_room(folder_ + "/" + folder::step_name(info.step), file_bytes(info, registry)); });
}

std::string Checkpoints::save(CheckpointInfo const& info, Registry const& registry, bool best) {
  complaints_.clear();
  if (!prepared_) prepare();
  CheckpointInfo mine = info;
  if (mine.created.empty()) mine.created = utc_now();
  CheckpointInfo agreed = unpack(comm_.broadcast(pack(mine), 0));
  require_consistent(comm_, info, registry);

  std::string const name = folder::step_name(info.step), path = folder_ + "/" + name, part = path + ".part";
  on_root(comm_, "saving " + path, [&] {
    folder::require_room(part, file_bytes(agreed, registry));
    folder::create_empty(part);
  });
  try {
    write_checkpoint(comm_, part, agreed, registry);
    Ballot ballot(comm_);
    ballot.attempt([&] { folder::sync(part); });
    ballot.vote("saving " + path);
    ballot.attempt([&] {
      CheckpointFile const file(part);
      file.require_fields(registry);
      verify_share(comm_, file);
    });
    if (std::string const why = ballot.reasons(); !why.empty())
      throw AgreedIoError("saving " + path + " failed: read back wrong: " + why);
    commit(part, name, best);
  } catch (...) {  // thrown on every rank alike
    if (comm_.rank() == 0) try {
        folder::remove(part);
      } catch (...) {  // the first error is the one to report
      }
    throw;
  }
  return path;
}

void Checkpoints::commit(std::string const& part, std::string const& name, bool best) {
  on_root(comm_, "committing " + folder_ + "/" + name, [&] {
    if (guard_.may_write) guard_.may_write();
    if (is_foreign(folder_ + "/" + name))
      throw InputError(folder_ + "/" + name + " is of another run and is not replaced: move it away");
    folder::rename(part, folder_ + "/" + name);
    folder::sync(folder_);
    if (best) folder::repoint(folder_ + "/best", name);
    folder::repoint(folder_ + "/latest", name);
    folder::sync(folder_);
  });
  std::vector<std::string> unhappy;
  auto const try_to = [&](auto&& work) {
    try {
      work();
    } catch (std::exception const& e) {
      unhappy.push_back(e.what());
    }
  };
  if (comm_.rank() == 0)
    try_to([&] {
      std::vector<std::uint64_t> linked;
      for (auto const* link : {"/latest", "/best"})
        if (auto const step = folder::step_of(folder::target_of(folder_ + link))) linked.push_back(*step);
      for (auto const step : retired(by_age(), retention_, linked)) try_to([&] { retire(step); });
    });
  complaints_ = share(comm_, unhappy);
}

void Checkpoints::retire(std::uint64_t step) {
  if (foreign_.count(step) != 0) return;
  std::string const old = folder_ + "/" + folder::step_name(step);
  if (is_foreign(old)) {
    foreign_.insert(step);
    throw InputError(old + " is of another run and stays, whatever checkpoint.keep says");
  }
  folder::rename(old, old + ".trash");
  folder::remove(old + ".trash");
}

/// A file that cannot be read says nothing.
bool Checkpoints::is_foreign(std::string const& path) const {
  std::error_code ignored;
  if (!guard_.is_of_run || !std::filesystem::exists(path, ignored)) return false;
  try {
    return !guard_.is_of_run(CheckpointFile(path).info());
  } catch (Error const&) {
    return false;
  }
}

/// Steps of the committed files, the order of candidates("latest"); not collective.
std::vector<std::uint64_t> Checkpoints::by_age() const {
  auto all = folder::steps(folder_);
  auto const last = folder::step_of(folder::target_of(folder_ + "/latest"));
  if (auto const at = last ? std::find(all.begin(), all.end(), *last) : all.end(); at != all.end())
    std::rotate(all.begin(), at, all.end());
  return all;
}

std::vector<std::string> Checkpoints::candidates(std::string const& which) const {
  std::vector<std::string> found;
  on_root(comm_, "looking for checkpoint '" + which + "'", [&] {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (which == "latest") {
      for (auto const step : by_age()) found.push_back(folder_ + "/" + folder::step_name(step));
    } else if (fs::exists(which, ignored)) {
      found.push_back(folder::followed(which));
    } else if (fs::path(which).is_relative() && fs::exists(folder_ + "/" + which, ignored)) {
      found.push_back(folder::followed(folder_ + "/" + which));
    } else {
      throw InputError("there is no file " + which + ", neither here nor in " + folder_);
    }
    if (found.empty()) throw InputError("there is no committed checkpoint in " + folder_);
  });
  return share(comm_, found);
}

std::string Checkpoints::resolve(std::string const& which) const { return candidates(which).front(); }

CheckpointInfo Checkpoints::peek(std::string const& path) const {
  std::string packed;
  on_root(comm_, "reading " + path, [&] { packed = pack(CheckpointFile(path).info()); });
  return unpack(comm_.broadcast(packed, 0));
}

Restored Checkpoints::find(std::string const& which) const {
  std::vector<std::string> warnings;
  for (auto const& path : candidates(which)) try {
      return {path, peek(path), warnings};
    } catch (Error const& e) {
      warnings.emplace_back(e.what());
    }
  throw none_left(warnings);
}

Restored Checkpoints::load(std::string const& which, Registry const& registry) const {
  std::vector<std::string> warnings;
  for (auto const& path : candidates(which)) {
    Ballot ballot(comm_);
    std::string packed;
    std::uint64_t identity = 0;
    ballot.attempt([&] {
      CheckpointFile const file(path);
      identity = format::seal_of(file.info(), file.table(), file.format_version());
      file.require_fields(registry);
      verify_share(comm_, file);
      compare_share(comm_, file, registry);
      packed = pack(file.info());
    });
    std::string why = ballot.reasons();
    if (why.empty() && !comm_.same_everywhere(identity))
      why = "the ranks read different files under this name: the run folder must be one, seen by all hosts";
    if (why.empty()) {
      ballot.attempt([&] { take(CheckpointFile(path), registry); });
      why = ballot.reasons();
    }
    if (why.empty()) {
      for (auto const& f : registry)
        if (f.settle) f.settle();
      return {path, unpack(comm_.broadcast(packed, 0)), warnings};
    }
    warnings.push_back("checkpoint " + path + " is passed over: " + why);
  }
  throw none_left(warnings);
}

}  // namespace kaon
