// Stands between a program and the file system (LD_PRELOAD) and lets calls on files below one folder fail, as a full or broken
// disk does. What it does is in the environment:
//   KAON_DISK_UNDER   the folder, canonical
//   KAON_DISK_CALL    open, create, read, write, sync, close, truncate, rename, link, unlink, mkdir, space
//   KAON_DISK_ERROR   number of the error; "short": a write takes half of its bytes, which is no error; "slow": 20 ms a call
//   KAON_DISK_FIRST   the first of these calls that fails, from 1; 0: none
//   KAON_DISK_TIMES   how many fail; 0: all from there on
//   KAON_DISK_RANK    the rank it happens on; -1: all
//   KAON_DISK_LOG     prefix of a file for each rank: "calls faults", kept up to date
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

namespace {

/// The library's own function of that name.
template <class F>
F* real(char const* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

char const* setting(char const* name, char const* fallback) {
  char const* const value = std::getenv(name);
  return value ? value : fallback;
}

int rank() {
  for (char const* name : {"PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK"})
    if (char const* const value = std::getenv(name)) return std::atoi(value);
  return 0;
}

enum class Effect { none, error, half, slow };

class Disk {
 public:
  // Never destroyed: files are closed until the very end.
  static Disk& instance() {
    static auto* const one = new Disk;
    return *one;
  }

  /// What is to happen to this call on `path`; sets errno for an error.
  Effect judge(char const* call, char const* path) {
    if (!under_ || std::strcmp(call, call_) != 0 || !path || !lies_under(path)) return Effect::none;
    long const wanted = std::atol(setting("KAON_DISK_RANK", "-1"));
    if (wanted >= 0 && wanted != rank()) return Effect::none;
    std::lock_guard const lock(mutex_);
    ++calls_;
    bool const strikes = first_ > 0 && calls_ >= first_ && (times_ == 0 || calls_ < first_ + times_);
    faults_ += strikes;
    log();
    if (!strikes) return Effect::none;
    if (std::strcmp(error_, "short") == 0) return Effect::half;
    if (std::strcmp(error_, "slow") == 0) return Effect::slow;
    errno = std::atoi(error_);
    return Effect::error;
  }
  Effect judge(char const* call, int fd) {
    if (!under_ || std::strcmp(call, call_) != 0) return Effect::none;
    char link[64], path[PATH_MAX];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t const n = ::readlink(link, path, sizeof path - 1);
    if (n <= 0) return Effect::none;
    path[n] = '\0';
    return judge(call, path);
  }

 private:
  bool lies_under(std::string path) const {
    if (path[0] != '/') {
      char here[PATH_MAX];
      if (!::getcwd(here, sizeof here)) return false;
      path = std::string(here) + '/' + path;
    }
    return path == under_ || path.rfind(std::string(under_) + '/', 0) == 0;
  }
  void log() {
    char const* const prefix = std::getenv("KAON_DISK_LOG");
    if (!prefix) return;
    if (log_ < 0) {
      char name[PATH_MAX];
      std::snprintf(name, sizeof name, "%s.%d", prefix, rank());
      log_ = real<int(char const*, int, ...)>("open")(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    char text[64];
    int const n = std::snprintf(text, sizeof text, "%ld %ld\n", calls_, faults_);
    real<ssize_t(int, void const*, size_t, off_t)>("pwrite")(log_, text, static_cast<std::size_t>(n), 0);
  }

  char const* under_ = std::getenv("KAON_DISK_UNDER");
  char const* call_ = setting("KAON_DISK_CALL", "write");
  char const* error_ = setting("KAON_DISK_ERROR", "28");
  long first_ = std::atol(setting("KAON_DISK_FIRST", "0"));
  long times_ = std::atol(setting("KAON_DISK_TIMES", "1"));
  long calls_ = 0, faults_ = 0;
  int log_ = -1;
  std::mutex mutex_;
};

/// True when the call must fail; errno is set.
template <class Where>
bool fails(char const* call, Where where) {
  int const before = errno;
  Effect const effect = Disk::instance().judge(call, where);
  if (effect == Effect::error) return true;
  if (effect == Effect::slow) usleep(20000);
  errno = before;
  return false;
}

mode_t mode_of(int flags, va_list arguments) { return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0; }
char const* kind_of(int flags) { return (flags & O_CREAT) != 0 ? "create" : "open"; }

}  // namespace

extern "C" {

#define KAON_OPEN(name)                                                                       \
  int name(char const* path, int flags, ...) {                                                \
    va_list arguments;                                                                        \
    va_start(arguments, flags);                                                               \
    mode_t const mode = mode_of(flags, arguments);                                            \
    va_end(arguments);                                                                        \
    return fails(kind_of(flags), path) ? -1 : real<decltype(name)>(#name)(path, flags, mode); \
  }
KAON_OPEN(open)
KAON_OPEN(open64)

// A write that is cut short takes half, but one byte at least.
#define KAON_WRITE(name, parameters, given)                      \
  ssize_t name parameters {                                      \
    int const before = errno;                                    \
    Effect const effect = Disk::instance().judge("write", file); \
    if (effect == Effect::error) return -1;                      \
    errno = before;                                              \
    if (effect == Effect::half && bytes > 1) bytes /= 2;         \
    if (effect == Effect::slow) usleep(20000);                   \
    return real<decltype(name)>(#name) given;                    \
  }
KAON_WRITE(write, (int file, void const* data, size_t bytes), (file, data, bytes))
KAON_WRITE(pwrite, (int file, void const* data, size_t bytes, off_t at), (file, data, bytes, at))
KAON_WRITE(pwrite64, (int file, void const* data, size_t bytes, off64_t at), (file, data, bytes, at))

#define KAON_CALL(result, call, name, parameters, where, given) \
  result name parameters { return fails(call, where) ? -1 : real<decltype(name)>(#name) given; }
KAON_CALL(ssize_t, "write", writev, (int file, iovec const* parts, int count), file, (file, parts, count))
KAON_CALL(ssize_t, "read", read, (int file, void* data, size_t bytes), file, (file, data, bytes))
KAON_CALL(ssize_t, "read", pread, (int file, void* data, size_t bytes, off_t at), file, (file, data, bytes, at))
KAON_CALL(ssize_t, "read", pread64, (int file, void* data, size_t bytes, off64_t at), file, (file, data, bytes, at))
KAON_CALL(int, "sync", fsync, (int file), file, (file))
KAON_CALL(int, "sync", fdatasync, (int file), file, (file))
KAON_CALL(int, "truncate", ftruncate, (int file, off_t bytes), file, (file, bytes))
KAON_CALL(int, "truncate", ftruncate64, (int file, off64_t bytes), file, (file, bytes))
KAON_CALL(int, "rename", rename, (char const* from, char const* to), from, (from, to))
KAON_CALL(int, "link", symlink, (char const* target, char const* link), link, (target, link))
KAON_CALL(int, "unlink", unlink, (char const* path), path, (path))
KAON_CALL(int, "mkdir", mkdir, (char const* path, mode_t mode), path, (path, mode))
KAON_CALL(int, "space", statvfs, (char const* path, struct statvfs* out), path, (path, out))

// The file is closed all the same, as Linux does it. What is open for reading has nothing to lose and closes well.
int close(int file) {
  int const flags = ::fcntl(file, F_GETFL);
  bool const failed = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && fails("close", file);
  int const error = errno;
  int const code = real<decltype(close)>("close")(file);
  if (!failed) return code;
  errno = error;
  return -1;
}

}  // extern "C"
