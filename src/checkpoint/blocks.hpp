#ifndef KAON_CHECKPOINT_BLOCKS_HPP
#define KAON_CHECKPOINT_BLOCKS_HPP

#include <kaon/state/registry.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kaon {

/// What a file says about one field.
struct FieldShape {
  std::string path;
  ElementType type = ElementType::f32;
  std::vector<std::uint64_t> shape;
  std::string rule = {};  ///< its Resize, as a file names it; empty in files before version 3
  std::string of = {};    ///< Field::of
  std::uint64_t elements() const {
    std::uint64_t n = 1;
    for (auto s : shape) n *= s;
    return n;
  }
  std::uint64_t bytes() const { return elements() * size_of(type); }
  std::string shape_text() const;  ///< "8×64×32"
};

inline constexpr std::uint64_t integrity_block_bytes = std::uint64_t(1) << 20;

/// The integrity blocks of a field: boxes of at most 1 MiB (one element at least), each one contiguous in row-major order, cut
/// by the field's shape alone. A block of a field with three or more dimensions stays within one leading index (a worker).
class Blocks {
 public:
  explicit Blocks(FieldShape const& field);
  std::uint64_t count() const { return count_; }
  Part box(std::uint64_t block) const;
  /// The dimension that blocks are cut along; 0 means that a block spans whole leading indices.
  std::size_t cut() const { return cut_; }
  /// [begin, end) of the blocks that touch the leading indices [first, first + count).
  std::pair<std::uint64_t, std::uint64_t> touching(std::uint64_t first, std::uint64_t count) const;

 private:
  std::vector<std::uint64_t> shape_;
  std::size_t cut_ = 0;
  std::uint64_t step_ = 1;    ///< indices along the cut dimension in one block
  std::uint64_t pieces_ = 0;  ///< blocks along the cut dimension
  std::uint64_t count_ = 0;
};

/// Index, in the field, of the element `n` places into a box: "[0,12]".
std::string index_text(Part const& box, std::uint64_t n);

/// XXH3-64 of raw bytes.
std::uint64_t xxh3(void const* data, std::size_t bytes);

}  // namespace kaon

#endif
