#ifndef KAON_CHECKPOINT_SNAPSHOT_HPP
#define KAON_CHECKPOINT_SNAPSHOT_HPP

#include <kaon/state/registry.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace kaon {

/// A copy, in host memory, of what this rank writes of a state. Its memory is kept for the next copy. Local.
class Snapshot {
 public:
  /// Copies. A field is copied as its get() gives it, so devices are waited for.
  void take(Registry const& state);
  /// The fields of the state as they were; valid until the next take() or release(), and as long as this object stays in place.
  Registry const& registry() const { return registry_; }
  /// Gives the memory back.
  void release();

  /// Bytes that take() needs for this state on this rank.
  static std::uint64_t bytes_of(Registry const& state);

 private:
  struct Copy {
    std::unique_ptr<unsigned char[]> data;
    std::uint64_t bytes = 0;
  };
  std::vector<Copy> copies_;
  Registry registry_;
};

}  // namespace kaon

#endif
