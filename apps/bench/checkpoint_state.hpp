#ifndef KAON_BENCH_CHECKPOINT_STATE_HPP
#define KAON_BENCH_CHECKPOINT_STATE_HPP

#include <kaon/mpi/communicator.hpp>
#include <kaon/state/registry.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kaon::bench {

/// A state as EF21-Muon has it, with numbers of no meaning: `layers` square float matrices of `side`, for each of them X, W and G
/// of the server and G and M of every worker. Layers and workers are divided among the ranks.
class MadeUpState {
 public:
  MadeUpState(Communicator const& comm, int layers, int workers, int side);
  Registry const& registry() const { return registry_; }
  std::uint64_t bytes() const { return bytes_; }  ///< of the whole state
  std::uint64_t layer_bytes() const { return layer_bytes_; }

 private:
  void add(std::string const& path, std::vector<std::uint64_t> const& shape, Part const& mine);
  std::vector<std::unique_ptr<float[]>> data_;
  Registry registry_;
  std::uint64_t bytes_ = 0, layer_bytes_ = 0;
};

/// Writes what the ranks would write, one slab after the other, by pwrite() of 1 MiB into one new file, and syncs it: what any
/// checkpoint costs at least. `at` are the slabs' places in the file. Local; throws IoError.
void write_bare(std::string const& path, Registry const& registry, std::vector<std::uint64_t> const& at);
/// Places for write_bare(): field by field, as in the checkpoint. Collective.
std::vector<std::uint64_t> bare_places(Communicator const& comm, Registry const& registry);

/// Bytes by which this process's resident memory rose above what it is at the beginning; the peak is that of Linux since then.
class PeakMemory {
 public:
  PeakMemory();
  std::uint64_t rise() const;

 private:
  std::uint64_t before_;
};

}  // namespace kaon::bench

#endif
