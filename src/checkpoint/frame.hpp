#ifndef KAON_CHECKPOINT_FRAME_HPP
#define KAON_CHECKPOINT_FRAME_HPP

#include <kaon/checkpoint/format.hpp>
#include <kaon/checkpoint/h5.hpp>
#include <kaon/checkpoint/info.hpp>
#include <kaon/checkpoint/slabs.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kaon {

/// A checkpoint file without the data of its fields: all that HDF5 writes. It is made in memory, on one rank, so that HDF5 never
/// meets a disk that fails: a failed write leaves other ranks waiting in its collective calls, and it dies later of a file that
/// it cannot close.
class Frame {
 public:
  static constexpr std::uint64_t alignment = 4096;  ///< of the data in the file

  /// `path` is where the file will be; nothing is written there yet.
  Frame(std::string path, CheckpointInfo const& info, format::Table const& table);
  ~Frame();
  Frame(Frame const&) = delete;
  Frame& operator=(Frame const&) = delete;

  /// Where the data of each field belong.
  std::vector<std::uint64_t> const& offsets() const { return offsets_; }
  /// Adds the integrity table and its seal, and writes everything outside the fields' data to their file.
  void finish(CheckpointInfo const& info, format::Table const& table, Slabs& slabs);

 private:
  void lay_out(CheckpointInfo const& info, format::Table const& table);
  void copy(std::uint64_t begin, std::uint64_t end, Slabs& slabs) const;
  void release() noexcept;

  std::string path_;
  int memory_ = -1;
  h5::Handle file_, table_;
  std::vector<std::uint64_t> offsets_;
};

}  // namespace kaon

#endif
