#include "checkpoint_state.hpp"

#include <kaon/checkpoint/cuts.hpp>
#include <kaon/core/error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace kaon::bench {
namespace {

/// A line of /proc/self/status, in bytes.
std::uint64_t status(char const* key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.rfind(key, 0) == 0) return std::stoull(line.substr(line.find_first_of("0123456789"))) * 1024;
  throw IoError(std::string("/proc/self/status has no ") + key);
}

void check(bool good, std::string const& path) {
  if (!good) throw IoError("cannot write " + path + ": " + std::strerror(errno));
}

}  // namespace

MadeUpState::MadeUpState(Communicator const& comm, int layers, int workers, int side) {
  auto const n = static_cast<std::uint64_t>(side), all = static_cast<std::uint64_t>(workers),
             ranks = static_cast<std::uint64_t>(comm.size()), rank = static_cast<std::uint64_t>(comm.rank());
  layer_bytes_ = n * n * sizeof(float);
  std::uint64_t const first = all * rank / ranks, count = all * (rank + 1) / ranks - first;
  for (int layer = 0; layer < layers; ++layer) {
    std::string const name = "/h" + std::to_string(layer);
    bool const owner = static_cast<std::uint64_t>(layer) % ranks == rank;
    for (char const* what : {"/ef21-muon/server/X", "/model/W", "/ef21-muon/server/G"})
      add(what + name, {n, n}, owner ? Part{{0, 0}, {n, n}} : Part{{0, 0}, {0, 0}});
    for (char const* what : {"/ef21-muon/workers/G", "/ef21-muon/workers/M"})
      add(what + name, {all, n, n}, count > 0 ? Part{{first, 0, 0}, {count, n, n}} : Part{{0, 0, 0}, {0, 0, 0}});
  }
}

void MadeUpState::add(std::string const& path, std::vector<std::uint64_t> const& shape, Part const& mine) {
  std::uint64_t const count = mine.elements();
  data_.push_back(std::make_unique_for_overwrite<float[]>(count));
  float* const data = data_.back().get();
  auto noise = static_cast<std::uint32_t>(registry_.size() + 1);
  for (std::uint64_t i = 0; i < count; ++i) data[i] = static_cast<float>(noise = noise * 1664525u + 1013904223u);
  Field f;
  f.path = path;
  f.shape = shape;
  f.written = f.needed = mine;
  f.get = [data, count](void* out) { std::memcpy(out, data, count * sizeof(float)); };
  if (count > 0)
    f.get_rows = [data, row = count / mine.count[0]](std::uint64_t first, std::uint64_t rows, void* out) {
      std::memcpy(out, data + first * row, rows * row * sizeof(float));
    };
  registry_.push_back(std::move(f));
  std::uint64_t whole = sizeof(float);
  for (auto const s : shape) whole *= s;
  bytes_ += whole;
}

std::vector<std::uint64_t> bare_places(Communicator const& comm, Registry const& registry) {
  std::vector<std::uint64_t> at;
  // As in the checkpoint. From 0 on the same writes took up to four times as long (ext4, Linux 6.18).
  std::uint64_t end = 4096;
  Cuts const cuts(comm, registry);
  for (std::size_t i = 0; i < registry.size(); ++i) {
    auto const& f = registry[i];
    std::uint64_t row = sizeof(float), whole = row;
    for (std::size_t d = 1; d < f.shape.size(); ++d) row *= f.shape[d];
    for (auto const s : f.shape) whole *= s;
    at.push_back(end + cuts.of(i)[static_cast<std::size_t>(comm.rank())].first * row);
    end += whole;
  }
  return at;
}

void write_bare(std::string const& path, Registry const& registry, std::vector<std::uint64_t> const& at) {
  int const fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  check(fd >= 0, path);
  std::vector<unsigned char> buffer;
  for (std::size_t i = 0; i < registry.size(); ++i) {
    std::uint64_t to = at[i];
    registry[i].by_pieces(buffer, [&](std::uint64_t, std::uint64_t, std::uint64_t bytes) {
      for (std::uint64_t done = 0; done < bytes;) {
        // Longer calls of several ranks into one file took up to three times as long (ext4, Linux 6.18).
        auto const n = std::min<std::uint64_t>(bytes - done, 1 << 20);
        auto const wrote = pwrite(fd, buffer.data() + done, n, static_cast<off_t>(to + done));
        check(wrote > 0, path);
        done += static_cast<std::uint64_t>(wrote);
      }
      to += bytes;
    });
  }
  check(fsync(fd) == 0, path);
  check(close(fd) == 0, path);
}

PeakMemory::PeakMemory() {
  std::ofstream("/proc/self/clear_refs") << "5";
  before_ = status("VmRSS:");
}

std::uint64_t PeakMemory::rise() const { return std::max(status("VmHWM:"), before_) - before_; }

}  // namespace kaon::bench
