// LD_PRELOAD: a machine that lacks something, each by an environment variable of its own.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace {

char const* setting(char const* name) {
  static auto* const real = reinterpret_cast<char* (*)(char const*)>(dlsym(RTLD_NEXT, "getenv"));
  return real(name);
}

template <class Function>
Function* next(Function*, char const* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// The call fails with the number that the variable holds.
bool refuses(char const* variable) {
  char const* const number = setting(variable);
  if (number) errno = std::atoi(number);
  return number != nullptr;
}

}  // namespace

extern "C" {

int symlink(char const* target, char const* link) noexcept {
  if (refuses("POORER_SYMLINK")) return -1;
  return next(&symlink, "symlink")(target, link);
}

// Folders without fsync; and a disk that hangs while the file that POORER_HANG names is there.
int fsync(int file) {
  struct stat s {};
  if (fstat(file, &s) == 0 && S_ISDIR(s.st_mode) && refuses("POORER_FOLDER_SYNC")) return -1;
  if (char const* const hang = setting("POORER_HANG"))
    while (access(hang, F_OK) == 0) usleep(10000);
  return next(&fsync, "fsync")(file);
}

int memfd_create(char const* name, unsigned flags) noexcept {
  if (refuses("POORER_MEMORY_FILE")) return -1;
  return next(&memfd_create, "memfd_create")(name, flags);
}

// So many bytes are free in a situation's folder, or ("none") nobody tells.
int statvfs(char const* path, struct statvfs* out) noexcept {
  char const* const bytes = setting("POORER_SPACE");
  if (!bytes || !(std::strstr(path, "checkpoints") || std::strstr(path, "kaon-situation")))
    return next(&statvfs, "statvfs")(path, out);
  std::memset(out, 0, sizeof *out);
  out->f_blocks = out->f_bavail = std::strtoull(bytes, nullptr, 10);
  out->f_frsize = 1;
  return 0;
}

// No more than so many threads.
int pthread_create(pthread_t* thread, pthread_attr_t const* attributes, void* (*start)(void*), void* argument) noexcept {
  static std::atomic<int> made{0};
  if (char const* const most = setting("POORER_THREADS"); most && made++ >= std::atoi(most)) return EAGAIN;
  return next(&pthread_create, "pthread_create")(thread, attributes, start, argument);
}

// An OpenBLAS that takes the CPU for the core that POORER_BLAS names, unless OPENBLAS_CORETYPE says another one.
char* getenv(char const* name) noexcept {
  char const* const value = setting(name);
  Dl_info caller{};
  if (!value && std::strcmp(name, "OPENBLAS_CORETYPE") == 0 && setting("POORER_BLAS") &&
      dladdr(__builtin_return_address(0), &caller) && std::strstr(caller.dli_fname, "libopenblas"))
    return const_cast<char*>(setting("POORER_BLAS"));
  return const_cast<char*>(value);
}

// … and that was built for that core alone.
char* openblas_get_config() {
  static char alone[] = "OpenBLAS 0.0.0 built for one core";
  return setting("POORER_BLAS_ALONE") ? alone : next(&openblas_get_config, "openblas_get_config")();
}

}  // extern "C"
