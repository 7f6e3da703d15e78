#include <kaon/checkpoint/slabs.hpp>

#include <kaon/core/error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace kaon {
namespace {

[[noreturn]] void fail(std::string const& doing, int error) { throw IoError("cannot " + doing + ": " + std::strerror(error)); }

}  // namespace

Slabs::~Slabs() {
  if (file_ >= 0) ::close(file_);
}

void Slabs::open(std::string const& path, int flags, char const* doing) {
  path_ = path;
  file_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  if (file_ < 0) fail(doing + path, errno);
}
void Slabs::create(std::string const& path) { open(path, O_CREAT | O_TRUNC, "create "); }
void Slabs::open(std::string const& path) { open(path, 0, "open "); }

void Slabs::write(std::string const& what, void const* data, std::uint64_t bytes, std::uint64_t offset) {
  constexpr std::uint64_t most = std::uint64_t(1) << 30;  // Linux takes less than 2 GiB a call
  auto const* from = static_cast<char const*>(data);
  while (bytes > 0) {
    auto const n = ::pwrite(file_, from, std::min(bytes, most), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("write " + what + " of " + path_, n < 0 ? errno : EIO);
    from += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::uint64_t>(n);
  }
}

void Slabs::close() {
  if (file_ < 0) return;
  int const file = std::exchange(file_, -1);
  int error = ::fsync(file) == 0 ? 0 : errno;
  if (::close(file) != 0 && error == 0) error = errno;
  if (error != 0) fail("write " + path_, error);
}

}  // namespace kaon
