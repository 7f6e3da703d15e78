#ifndef KAON_CHECKPOINT_RETENTION_HPP
#define KAON_CHECKPOINT_RETENTION_HPP

#include <cstdint>
#include <vector>

namespace kaon {

/// Which checkpoints stay.
struct Retention {
  int keep = 2;                  ///< the newest so many; 0: all
  std::uint64_t keep_every = 0;  ///< and those of every step but the start that this divides; 0: none

  Retention(int newest, std::uint64_t every = 0) : keep(newest), keep_every(every) {}
};

/// The steps that go. `steps` stands in the order of age, the last committed one first; `linked` are those that a link points at,
/// which never go.
std::vector<std::uint64_t> retired(std::vector<std::uint64_t> const& steps, Retention const& rule,
                                   std::vector<std::uint64_t> const& linked);

}  // namespace kaon

#endif
