#include <kaon/data/file.hpp>

#include <kaon/core/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace kaon {
namespace {

/// A text may have more files than the soft limit of open files, which programs may raise themselves.
int open_to_read(std::string const& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe without a writer must not hold us
  rlimit limit = {};
  if (descriptor >= 0 || errno != EMFILE || ::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
    return descriptor;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  return descriptor;
}

bool same_time(timespec const& a, timespec const& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

}  // namespace

DataFile::DataFile(std::string const& path) : path_(path), descriptor_(open_to_read(path)) {
  if (descriptor_ < 0 && (errno == EMFILE || errno == ENFILE))
    throw IoError(fmt::format("data file {}: cannot open it: {}; raise the limit (ulimit -n), or make fewer and larger files",
                              path, std::strerror(errno)));
  if (descriptor_ < 0)
    throw InputError(fmt::format("data file {}: cannot open it: {}; check the path in the deck", path, std::strerror(errno)));
  std::string problem;
  if (::fstat(descriptor_, &seen_) != 0)
    problem = std::strerror(errno);
  else if (!S_ISREG(seen_.st_mode))
    problem = "expected a regular file; name the files themselves or a pattern such as folder/*.bin";
  else if (seen_.st_size == 0)
    problem = "expected tokens, found an empty file; make or copy it again";
  if (!problem.empty()) {
    ::close(descriptor_);
    throw InputError(fmt::format("data file {}: {}", path, problem));
  }
  size_ = seen_.st_size;
}

DataFile::~DataFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

DataFile::DataFile(DataFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_), seen_(other.seen_) {}

DataFile& DataFile::operator=(DataFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  std::swap(seen_, other.seen_);
  return *this;
}

void DataFile::read(std::int64_t at, std::int64_t bytes, void* out) const {
  constexpr std::int64_t most = std::int64_t{1} << 30;
  for (auto* to = static_cast<char*>(out); bytes > 0;) {
    auto const got = ::pread(descriptor_, to, static_cast<std::size_t>(std::min(bytes, most)), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw IoError(fmt::format("data file {}: cannot read it: {}", path_, std::strerror(errno)));
    if (got == 0)
      throw InputError(fmt::format(
          "data file {}: it had {} bytes when it was opened and ends at byte {} now: it was cut short or made anew while "
          "the run reads it; put it back as it was and restart from the last checkpoint (-r latest)",
          path_, size_, at));
    to += got, at += got, bytes -= got;
  }
}

struct stat DataFile::now() const {
  struct stat info = {};
  if (::fstat(descriptor_, &info) != 0) throw IoError(fmt::format("data file {}: {}", path_, std::strerror(errno)));
  return info;
}

std::string DataFile::identity() const { return fmt::format("{}:{}", seen_.st_dev, seen_.st_ino); }

// The status time too: a copy that keeps the time of its origin changes it.
std::string DataFile::changed() const {
  auto const info = now();
  if (info.st_size != seen_.st_size)
    return fmt::format("data file {} has {} bytes instead of {}", path_, info.st_size, seen_.st_size);
  if (same_time(info.st_mtim, seen_.st_mtim) && same_time(info.st_ctim, seen_.st_ctim)) return {};
  return fmt::format("data file {} was written to or touched", path_);
}

void DataFile::look_again() { seen_ = now(); }

}  // namespace kaon
