#include <kaon/checkpoint/folder.hpp>

#include <kaon/core/error.hpp>
#include <kaon/files/lacking.hpp>
#include <kaon/files/system.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

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

void write_text(std::string const& path, std::string const& text) {
  int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) fail("create", path, errno);
  auto const n = ::write(fd, text.data(), text.size());
  int error = n < 0 ? errno : static_cast<std::size_t>(n) < text.size() ? ENOSPC : ::fsync(fd) != 0 ? errno : 0;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error != 0) fail("write", path, error);
}

/// The checkpoint that a text file in the place of a link names; empty for anything else.
std::string written_target(std::string const& path) {
  std::error_code error;
  constexpr std::uintmax_t longest = 64;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > longest || error) return {};
  std::ifstream in(path);
  std::string name;
  std::getline(in, name);
  return step_of(name) ? name : std::string();
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
  bool const asked = ::statvfs(path.c_str(), &s) == 0;
  if (!asked && errno != ENOSYS) fail("ask for the free space of", path, errno);
  if (!asked || s.f_blocks == 0) return std::numeric_limits<std::uint64_t>::max();  // some in user space: all zero
  return static_cast<std::uint64_t>(s.f_bavail) * s.f_frsize;
}

void require_room(std::string const& path, std::uint64_t bytes) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < bytes)
    throw IoError(fmt::format("cannot write {}: {}: it needs {} bytes, the limit of this process (ulimit -f) is {}", path,
                              std::strerror(EFBIG), bytes, limit.rlim_cur));
  std::error_code ignored;
  auto above = fs::path(files::folder_of(path));
  while (!fs::exists(above, ignored) && above != above.root_path()) above = fs::absolute(above, ignored).parent_path();
  if (auto const have = free_bytes(above.string()); have < bytes)
    throw IoError(fmt::format("cannot write {}: it needs {} bytes and {} are free", path, bytes, have));
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
  if (::symlink(target.c_str(), fresh.c_str()) != 0) {
    if (!files::is_lacking(files::Thing::symbolic_links, errno)) fail("create link", fresh, errno);
    write_text(fresh, target + "\n");
  }
  rename(fresh, link);
}

std::string target_of(std::string const& link) {
  std::error_code error;
  auto const target = fs::read_symlink(link, error);
  return error ? written_target(link) : target.string();
}

std::string followed(std::string const& path) {
  auto const target = written_target(path);
  return target.empty() ? path : (fs::path(path).parent_path() / target).string();
}

int nameless(std::string const& beside) {
  int fd = ::memfd_create("kaon-checkpoint", MFD_CLOEXEC);
  if (fd >= 0) return fd;
  if (!files::is_lacking(files::Thing::memory_files, errno)) fail("lay out in memory", beside, errno);
  std::string name = beside + ".frame-XXXXXX";
  fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) fail("lay out", name, errno);
  if (::unlink(name.c_str()) != 0) {
    int const error = errno;
    ::close(fd);
    fail("delete", name, error);
  }
  return fd;
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

std::optional<std::string> run_folder_at(std::string const& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {};
  auto place = fs::path(path).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();  // a slash at the end
  if (fs::is_directory(place / "checkpoints", error)) return place.string();
  if (place.filename() != "checkpoints" || steps(place.string()).empty()) return {};
  return files::folder_of(place.string());
}

void require_no_folder(std::string const& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return;
  auto const run = run_folder_at(path);
  throw InputError(fmt::format("{} is a folder, and no checkpoint{}", path,
                               run ? fmt::format("; its run's newest one is {}/checkpoints/latest", *run) : ""));
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
    if ((name.rfind("step-", 0) == 0 &&
         (ends_with(name, ".h5.part") || ends_with(name, ".h5.trash") || name.find(".frame-") != std::string::npos)) ||
        name == "latest.new" || name == "best.new")
      found.push_back(name);
  return found;
}

}  // namespace kaon::folder
