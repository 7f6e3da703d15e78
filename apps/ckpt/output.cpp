#include "output.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>
#include <kaon/files/system.hpp>

#include <algorithm>
#include <filesystem>

namespace kaon::ckpt {
namespace {

namespace fs = std::filesystem;

bool is_checkpoint(fs::path const& path) {
  auto name = path.filename().string();
  if (folder::step_of(name)) return true;  // a damaged one too
  try {
    CheckpointFile const file(path.string());
    return true;
  } catch (Error const&) {
    return false;
  }
}

}  // namespace

void require_free(std::string const& out, std::string const& input, bool force) {
  fs::path const path = files::behind_links(out);
  std::error_code none;
  auto parent = fs::weakly_canonical(fs::absolute(path), none).parent_path();
  if (parent.filename() == "checkpoints")
    throw UsageError(out + " would stand among the checkpoints of a run, in " + parent.string() + ": choose another folder");
  auto const status = fs::symlink_status(path, none);
  if (!fs::exists(status)) return;
  if (files::same_file(out, input)) throw UsageError(out + " is the file that is read, " + input + ": choose another name");
  if (!fs::is_regular_file(status)) throw UsageError(out + " exists and is no file: choose another name");
  if (is_checkpoint(path)) throw UsageError(out + " is a checkpoint, and none is ever overwritten: choose another name");
  if (!force) throw UsageError(out + " exists and is not overwritten: choose another name, or say --force");
}

bool leads_out(std::string const& path) {
  auto parts = '/' + path + '/';
  std::replace(parts.begin(), parts.end(), '\\', '/');
  return parts.find("/../") != std::string::npos;
}

}  // namespace kaon::ckpt
