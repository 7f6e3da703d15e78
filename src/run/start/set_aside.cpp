#include <kaon/run/start/set_aside.hpp>

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/info.hpp>
#include <kaon/core/error.hpp>
#include <kaon/files/part.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <vector>

namespace kaon {
namespace {

namespace fs = std::filesystem;

/// Also to another file system, where `checkpoints` is a link to one.
void move(std::string const& from, std::string const& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return;
  if (errno != EXDEV) files::fail("rename " + from + " to", to, errno);
  std::error_code error;
  auto const part = to + ".part";
  fs::copy_file(from, part, fs::copy_options::overwrite_existing, error);
  if (error) files::fail("copy " + from + " to", part, error.value());
  files::sync(part);
  folder::rename(part, to);
  files::sync_folder(files::folder_of(to));
  folder::remove(from);
}

bool is_after(std::string const& link, std::uint64_t step) {
  auto const at = folder::step_of(folder::target_of(link));
  return at && *at > step;
}

/// The link leads to the same name in the other folder.
void carry_link(std::string const& from, std::string const& to, std::uint64_t after) {
  if (is_after(from, after)) folder::repoint(to, folder::target_of(from));
}

}  // namespace

std::string name_aside(std::string const& directory, std::uint64_t step) {
  auto stamp = utc_now();
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  auto const name = fmt::format("set-aside/{}-after-step-{}", stamp, step);
  std::string unused = name;
  std::error_code ignored;
  for (int n = 2; fs::exists(fs::symlink_status(directory + "/" + unused, ignored)); ++n) unused = fmt::format("{}-{}", name, n);
  return unused;
}

std::size_t set_aside(std::string const& directory, Aside const& aside) {
  auto const here = directory + "/checkpoints", old = directory + "/" + aside.folder, there = old + "/checkpoints";
  folder::make(there);
  files::replace(old + "/" + RunIdentity::file, aside.before);
  std::vector<std::string> copied(std::begin(row_files), std::end(row_files));
  copied.emplace_back("deck.resolved");
  for (auto const& name : copied)
    if (files::identity(directory + "/" + name)) files::replace(old + "/" + name, files::read_all(directory + "/" + name));
  if (auto const summary = directory + "/summary.json"; files::identity(summary)) move(summary, old + "/summary.json");

  for (auto const* link : {"/latest", "/best"}) carry_link(here + link, there + link, aside.step);
  if (is_after(here + "/best", aside.step)) folder::remove(here + "/best");
  folder::repoint(here + "/latest", folder::step_name(aside.step));
  files::sync_folder(here);

  for (auto const step : folder::steps(here))
    if (step > aside.step) move(here + "/" + folder::step_name(step), there + "/" + folder::step_name(step));
  auto const moved = folder::steps(there);
  if (!moved.empty() && folder::target_of(there + "/latest").empty())
    folder::repoint(there + "/latest", folder::step_name(moved.front()));
  for (auto const& f : {there, old, directory + "/set-aside", here, directory}) files::sync_folder(f);
  return moved.size();
}

}  // namespace kaon
