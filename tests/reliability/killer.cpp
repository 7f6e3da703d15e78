// Stands between a rank and its file system (LD_PRELOAD): counts the calls that change files under a folder, slows them, and
// kills the rank at a chosen one. From the environment:
//   KAON_KILL_UNDER    only paths that contain this text count
//   KAON_KILL_LOG      append "number call path" of each to <this>.<rank>
//   KAON_KILL_DELAY    microseconds to wait before each
//   KAON_KILL_RANK, KAON_KILL_AT   the rank and the number (from 1) of the call
//   KAON_KILL_HOW      before, after, torn (half of a write), or all: before, and every rank of this host with it
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

enum class How { before, after, torn, all };

char const* text_of(char const* name) {
  char const* const value = std::getenv(name);
  return value ? value : "";
}

struct Plan {
  std::string under = text_of("KAON_KILL_UNDER"), log = text_of("KAON_KILL_LOG");
  long delay = std::atol(text_of("KAON_KILL_DELAY")), at = std::atol(text_of("KAON_KILL_AT")), count = 0;
  int rank = std::atoi(text_of("PMI_RANK"));
  How how = How::before;
  bool mine = rank == std::atoi(text_of("KAON_KILL_RANK"));

  Plan() {
    std::string const word = text_of("KAON_KILL_HOW");
    if (word == "after") how = How::after;
    if (word == "torn") how = How::torn;
    if (word == "all") how = How::all;
  }
};

Plan& plan() {
  static auto* const one = new Plan;  // never destroyed: files are written until the very end
  return *one;
}

[[noreturn]] void die(bool with_the_others) {
  if (with_the_others && *text_of("PMI_RANK")) {
    std::string const list = "/proc/" + std::to_string(getppid()) + "/task/" + std::to_string(getppid()) + "/children";
    if (FILE* const f = std::fopen(list.c_str(), "r")) {
      for (int pid = 0; std::fscanf(f, "%d", &pid) == 1;)
        if (pid != getpid()) kill(pid, SIGKILL);
      std::fclose(f);
    }
  }
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// One call that changes a file: made between the two halves of its life, unless the rank dies there.
class Event {
 public:
  Event(char const* call, std::string const& path) {
    auto& p = plan();
    if (p.under.empty() || path.find(p.under) == std::string::npos) return;
    ++p.count;
    if (p.delay > 0) usleep(static_cast<useconds_t>(p.delay));
    if (!p.log.empty())
      if (FILE* const f = std::fopen((p.log + '.' + std::to_string(p.rank)).c_str(), "a")) {
        std::fprintf(f, "%ld %s %s\n", p.count, call, path.c_str());
        std::fclose(f);
      }
    chosen_ = p.mine && p.at == p.count;
    if (chosen_ && (p.how == How::before || p.how == How::all)) die(p.how == How::all);
  }
  /// Bytes that a write may still make.
  std::size_t bytes(std::size_t asked) const { return chosen_ && plan().how == How::torn ? asked / 2 : asked; }
  ~Event() {
    if (chosen_) die(false);
  }

 private:
  bool chosen_ = false;
};

std::string path_of(int fd) {
  char target[4096];
  std::string const link = "/proc/self/fd/" + std::to_string(fd);
  ssize_t const n = readlink(link.c_str(), target, sizeof target);
  return n > 0 ? std::string(target, static_cast<std::size_t>(n)) : std::string();
}

std::string absolute(char const* path) {
  if (path[0] == '/') return path;
  char here[4096];
  return getcwd(here, sizeof here) ? std::string(here) + '/' + path : std::string(path);
}

template <class F>
F real(char const* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

}  // namespace

#define KAON_REAL(name) static auto* const next = real<decltype(&name)>(#name)

extern "C" {

#define KAON_OPEN(name)                                                 \
  int name(char const* path, int flags, ...) {                          \
    using Open = int (*)(char const*, int, mode_t);                     \
    static auto* const next = real<Open>(#name);                        \
    va_list rest;                                                       \
    va_start(rest, flags);                                              \
    mode_t const mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;   \
    va_end(rest);                                                       \
    if (!(flags & (O_CREAT | O_TRUNC))) return next(path, flags, mode); \
    Event const event(#name, absolute(path));                           \
    return next(path, flags, mode);                                     \
  }
KAON_OPEN(open)
KAON_OPEN(open64)

#define KAON_WRITE(name)                                \
  ssize_t name(int fd, void const* data, size_t size) { \
    KAON_REAL(name);                                    \
    Event const event(#name, path_of(fd));              \
    return next(fd, data, event.bytes(size));           \
  }
KAON_WRITE(write)

#define KAON_PWRITE(name, offset_type)                                  \
  ssize_t name(int fd, void const* data, size_t size, offset_type at) { \
    KAON_REAL(name);                                                    \
    Event const event(#name, path_of(fd));                              \
    return next(fd, data, event.bytes(size), at);                       \
  }
KAON_PWRITE(pwrite, off_t)
KAON_PWRITE(pwrite64, off64_t)

ssize_t writev(int fd, iovec const* parts, int count) {
  KAON_REAL(writev);
  Event const event("writev", path_of(fd));
  return next(fd, parts, count);
}

#define KAON_ON_FILE(name)                 \
  int name(int fd) {                       \
    KAON_REAL(name);                       \
    Event const event(#name, path_of(fd)); \
    return next(fd);                       \
  }
KAON_ON_FILE(fsync)
KAON_ON_FILE(fdatasync)

#define KAON_TRUNCATE(name, offset_type)   \
  int name(int fd, offset_type size) {     \
    KAON_REAL(name);                       \
    Event const event(#name, path_of(fd)); \
    return next(fd, size);                 \
  }
KAON_TRUNCATE(ftruncate, off_t)
KAON_TRUNCATE(ftruncate64, off64_t)

#define KAON_ON_TWO(name)                      \
  int name(char const* from, char const* to) { \
    KAON_REAL(name);                           \
    Event const event(#name, absolute(to));    \
    return next(from, to);                     \
  }
KAON_ON_TWO(rename)
KAON_ON_TWO(symlink)

int unlink(char const* path) {
  KAON_REAL(unlink);
  Event const event("unlink", absolute(path));
  return next(path);
}

int mkdir(char const* path, mode_t mode) {
  KAON_REAL(mkdir);
  Event const event("mkdir", absolute(path));
  return next(path, mode);
}

}  // extern "C"
