#include <kaon/checkpoint/folder.hpp>

#include <kaon/core/error.hpp>
#include <kaon/files/system.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace kaon::folder {
namespace {

namespace fs = std::filesystem;

using files::fail;

bool ends_with(std::string const& s, std::string const& tail) {
  return s.size() >= tail.size() && s.compare(s.size() - tail.size(), tail.size(), tail) == 0;
}

std::vector<std::string> entries(std::string const& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().string());
  if (error && error != std::errc::no_such_file_or_directory) fail("list folder", path, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void make(std::string const& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail("create folder", path, error.value());
  if (!fs::is_directory(path, error)) fail("create folder", path, ENOTDIR);
}

std::uint64_t free_bytes(std::string const& path) {
  struct statvfs s {};
  if (::statvfs(path.c_str(), &s) != 0) fail("ask for the free space of", path, errno);
  return static_cast<std::uint64_t>(s.f_bavail) * s.f_frsize;
}

void create_empty(std::string const& path) {
  remove(path);
  int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0 || ::close(fd) != 0) fail("create", path, errno);
}

void sync(std::string const& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    files::sync_folder(path);
  else
    files::sync(path);
}

void rename(std::string const& from, std::string const& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) fail("rename " + from + " to", to, errno);
}

void remove(std::string const& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("delete", path, errno);
}

void repoint(std::string const& link, std::string const& target) {
  std::string const fresh = link + ".new";
  remove(fresh);
  if (::symlink(target.c_str(), fresh.c_str()) != 0) fail("create link", fresh, errno);
  rename(fresh, link);
}

std::string target_of(std::string const& link) {
  std::error_code error;
  auto const target = fs::read_symlink(link, error);
  return error ? std::string() : target.string();
}

std::string step_name(std::uint64_t step) { return fmt::format("step-{:08}.h5", step); }

std::optional<std::uint64_t> step_of(std::string const& name) {
  if (name.rfind("step-", 0) != 0 || !ends_with(name, ".h5")) return {};
  std::string const digits = name.substr(5, name.size() - 8);
  if (digits.empty() || digits.size() > 19 || digits.find_first_not_of("0123456789") != std::string::npos) return {};
  std::uint64_t const step = std::stoull(digits);
  if (step_name(step) != name) return {};
  return step;
}

std::vector<std::uint64_t> steps(std::string const& path) {
  std::vector<std::uint64_t> all;
  for (auto const& name : entries(path))
    if (auto const step = step_of(name)) all.push_back(*step);
  std::sort(all.rbegin(), all.rend());
  return all;
}

std::vector<std::string> leftovers(std::string const& path) {
  std::vector<std::string> found;
  for (auto const& name : entries(path))
    if ((name.rfind("step-", 0) == 0 && (ends_with(name, ".h5.part") || ends_with(name, ".h5.trash"))) || name == "latest.new" ||
        name == "best.new")
      found.push_back(name);
  return found;
}

}  // namespace kaon::folder
