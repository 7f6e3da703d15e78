#include <kaon/core/error.hpp>
#include <kaon/data/mapped_file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace kaon {

MappedFile::MappedFile(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    throw InputError(fmt::format("data file {}: cannot open it: {}; check the path in the deck", path, std::strerror(errno)));
  struct stat info {};
  std::string problem;
  if (::fstat(fd, &info) != 0)
    problem = std::strerror(errno);
  else if (!S_ISREG(info.st_mode))
    problem = "expected a regular file; name the files themselves or a pattern such as folder/*.bin";
  else if (info.st_size == 0)
    problem = "expected tokens, found an empty file; make or copy it again";
  void* map = MAP_FAILED;
  if (problem.empty()) {
    size_ = static_cast<std::size_t>(info.st_size);
    map = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) problem = fmt::format("cannot map it: {}", std::strerror(errno));
  }
  ::close(fd);
  if (!problem.empty()) throw InputError(fmt::format("data file {}: {}", path, problem));
  data_ = static_cast<unsigned char const*>(map);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<unsigned char*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace kaon
