#include <kaon/checkpoint/blocks.hpp>

#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>

// Inline, for the vector instructions of this build: the installed library is compiled for the oldest CPU of its architecture.
#define XXH_INLINE_ALL
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12's AVX-512 header, https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105593
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xxhash.h>

namespace kaon {

static_assert(std::endian::native == std::endian::little, "integrity hashes are over little-endian bytes as they lie in memory");

std::string FieldShape::shape_text() const { return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "×")); }

Blocks::Blocks(FieldShape const& field) : shape_(field.shape) {
  require(!shape_.empty(), "Blocks: a field has at least one dimension");
  std::size_t const last = shape_.size() - 1;
  auto const below = [&](std::size_t d) {  // bytes of one index of dimension d
    std::uint64_t n = size_of(field.type);
    for (std::size_t i = d + 1; i < shape_.size(); ++i) n *= shape_[i];
    return n;
  };
  cut_ = shape_.size() >= 3 ? 1 : 0;
  while (cut_ < last && below(cut_) > integrity_block_bytes) ++cut_;
  step_ = std::max<std::uint64_t>(1, integrity_block_bytes / std::max<std::uint64_t>(1, below(cut_)));
  pieces_ = (shape_[cut_] + step_ - 1) / step_;
  count_ = field.elements() == 0 ? 0 : pieces_;
  for (std::size_t i = 0; i < cut_; ++i) count_ *= shape_[i];
}

Part Blocks::box(std::uint64_t block) const {
  require(block < count_, "Blocks::box: no such block");
  Part p{std::vector<std::uint64_t>(shape_.size(), 0), shape_};
  p.offset[cut_] = (block % pieces_) * step_;
  p.count[cut_] = std::min(step_, shape_[cut_] - p.offset[cut_]);
  std::uint64_t rest = block / pieces_;
  for (std::size_t d = cut_; d-- > 0;) {
    p.offset[d] = rest % shape_[d];
    p.count[d] = 1;
    rest /= shape_[d];
  }
  return p;
}

std::pair<std::uint64_t, std::uint64_t> Blocks::touching(std::uint64_t first, std::uint64_t count) const {
  if (count == 0 || count_ == 0) return {0, 0};
  if (cut_ == 0) return {first / step_, (first + count - 1) / step_ + 1};
  std::uint64_t const per_index = count_ / shape_[0];
  return {first * per_index, (first + count) * per_index};
}

std::string index_text(Part const& box, std::uint64_t n) {
  std::vector<std::uint64_t> index(box.count.size());
  for (std::size_t d = box.count.size(); d-- > 0; n /= box.count[d]) index[d] = box.offset[d] + n % box.count[d];
  return fmt::format("[{}]", fmt::join(index, ","));
}

std::uint64_t xxh3(void const* data, std::size_t bytes) { return XXH3_64bits(data, bytes); }

}  // namespace kaon
