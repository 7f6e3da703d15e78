#include <kaon/files/lacking.hpp>
#include <kaon/files/system.hpp>

#include <kaon/core/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace kaon::files {
namespace {

namespace fs = std::filesystem;

/// A descriptor that closes itself.
struct Open {
  int file;
  Open(std::string const& path, int flags, char const* doing) : file(::open(path.c_str(), flags | O_CLOEXEC)) {
    if (file < 0) fail(doing, path, errno);
  }
  ~Open() { ::close(file); }
  Open(Open const&) = delete;
  Open& operator=(Open const&) = delete;
};

}  // namespace

void fail(std::string const& doing, std::string const& path, int error) {
  throw IoError("cannot " + doing + " " + path + ": " + std::strerror(error));
}

std::optional<Identity> identity(std::string const& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) == 0) return Identity{s.st_dev, s.st_ino};
  if (errno != ENOENT && errno != ENOTDIR) fail("look at", path, errno);
  return {};
}

Identity identity(int file, std::string const& path) {
  struct stat s {};
  if (::fstat(file, &s) != 0) fail("look at", path, errno);
  return {s.st_dev, s.st_ino};
}

bool same_file(std::string const& a, std::string const& b) {
  auto const one = identity(a);
  return one && one == identity(b);
}

std::string behind_links(std::string const& path) {
  fs::path at = path;
  for (int links = 0;; ++links) {
    std::error_code none;
    auto const target = fs::read_symlink(at, none);
    if (none) return at.string();
    if (links == 40) fail("follow the links of", path, ELOOP);
    at = target.is_absolute() ? target : at.parent_path() / target;
  }
}

std::string folder_of(std::string const& path) {
  auto const slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

void write_all(int file, std::string_view text, std::string const& path) {
  while (!text.empty()) {
    auto const n = ::write(file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("write", path, n < 0 ? errno : EIO);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string read_all(std::string const& path) {
  Open const in(path, O_RDONLY | O_NONBLOCK, "open");  // a pipe that nobody writes has nothing
  struct stat s {};
  if (::fstat(in.file, &s) != 0) fail("look at", path, errno);
  std::string text;
  for (std::size_t at = 0;;) {
    if (at == text.size()) text.resize(at == 0 ? static_cast<std::size_t>(s.st_size) + 1 : 2 * at);
    auto const n = ::read(in.file, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read", path, errno);
    at += static_cast<std::size_t>(n);
    if (n == 0) return text.resize(at), text;
  }
}

void sync(std::string const& path) {
  Open const f(path, O_RDONLY, "open for fsync");
  if (::fsync(f.file) != 0) fail("fsync", path, errno);
}

void sync_folder(std::string const& folder) {
  int const f = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (f < 0 && errno == EACCES) return;  // may be written and not listed
  if (f < 0) fail("open for fsync", folder, errno);
  int const error = ::fsync(f) == 0 ? 0 : errno;
  ::close(f);
  if (error != 0 && !is_lacking(Thing::folder_sync, error)) fail("fsync", folder, error);
}

}  // namespace kaon::files
