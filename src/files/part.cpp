#include <kaon/files/part.hpp>

#include <kaon/core/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

namespace kaon::files {
namespace {

char const* kind_of(mode_t mode) {
  return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

/// Permissions of the regular file at `path`; nothing where nothing is.
std::optional<mode_t> permissions_of(std::string const& path) {
  struct stat s {};
  if (::lstat(path.c_str(), &s) != 0) {
    if (errno != ENOENT) fail("look at", path, errno);
    return {};
  }
  if (!S_ISREG(s.st_mode))
    throw IoError("cannot write " + path + ": it is " + kind_of(s.st_mode) + ", and only files are replaced");
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0 && (errno == EACCES || errno == EPERM))
    throw IoError("cannot write " + path + ": it is write-protected");
  return s.st_mode & 07777;
}

}  // namespace

Part::Part(std::string const& path) : path_(behind_links(path)), part_(path_ + ".part") {
  auto const permissions = permissions_of(path_);
  if (::unlink(part_.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) fail("remove", part_, errno);
  file_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (file_ < 0) fail("create", part_, errno);
  if (permissions && ::fchmod(file_, *permissions | S_IRUSR | S_IWUSR) != 0 && errno != EPERM && errno != EOPNOTSUPP) {
    int const error = errno;
    ::close(file_);
    ::unlink(part_.c_str());
    fail("set the permissions of", part_, error);
  }
}

Part::~Part() {
  if (committed_) return;
  try {
    require_mine();
    ::unlink(part_.c_str());
  } catch (Error const&) {
  }
  if (file_ >= 0) ::close(file_);
}

void Part::require_mine() const {
  if (file_ >= 0 && identity(part_) != identity(file_, part_))
    throw IoError("cannot write " + path_ + ": another process writes it at the same time (" + part_ +
                  " is not the file that was made)");
}

void Part::commit() {
  require_mine();
  if (::fsync(file_) != 0) fail("write", part_, errno);
  if (::rename(part_.c_str(), path_.c_str()) != 0) fail("rename " + part_ + " to", path_, errno);
  committed_ = true;
  int const error = ::close(std::exchange(file_, -1)) == 0 ? 0 : errno;
  if (error != 0) fail("write", path_, error);
  sync_folder(folder_of(path_));
}

void require_replaceable(std::string const& path) { permissions_of(behind_links(path)); }

void replace(std::string const& path, std::string_view text) {
  Part part(path);
  part.write(text);
  part.commit();
}

}  // namespace kaon::files
