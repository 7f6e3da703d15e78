#include <kaon/files/standard_output.hpp>

#include <kaon/core/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

namespace kaon::files {
namespace {

int first_error = 0;

bool is_pipe() {
  struct stat s {};
  return ::fstat(STDOUT_FILENO, &s) == 0 && (S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode));
}

}  // namespace

void secure_standard_streams() {
  for (int const stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})  // an open() takes the lowest number that is free
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF) ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void print(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() && first_error == 0) first_error = errno;
}

void flush_standard_output() {
  errno = 0;
  bool const failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (failed && first_error == 0) first_error = errno;
  // Output that went another way than print() may have lost its reason: a pipe has only one.
  if (!failed || first_error == EPIPE || (first_error == 0 && is_pipe())) return;
  throw IoError(std::string("cannot write standard output") +
                (first_error != 0 ? std::string(": ") + std::strerror(first_error) : ""));
}

int with_output_written(char const* program, int code) {
  try {
    flush_standard_output();
  } catch (IoError const& e) {
    if (code != 0) return code;  // which has been explained
    std::fprintf(stderr, "%s: error: %s\n", program, e.what());
    return static_cast<int>(e.code());
  }
  return code;
}

}  // namespace kaon::files
