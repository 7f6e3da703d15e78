#ifndef KAON_PLAN_BLOCKS_HPP
#define KAON_PLAN_BLOCKS_HPP

#include <kaon/plan/plan.hpp>

#include <vector>

namespace kaon {

/// Micro-batches [first, first + size) whose gradients are added into one partial sum: size is a power of two, first a multiple
/// of it. Two neighbours that make up a larger such block are added left + right, and what is left in the end from the right:
/// the order of a worker's sum is a function of the number of micro-batches alone, whichever ranks hold which of them.
struct AddBlock {
  int first = 0, size = 1;
  int end() const { return first + size; }
  /// Whether `right` follows and the two make up a block.
  bool completes(AddBlock const& right) const { return right.size == size && right.first == end() && first % (2 * size) == 0; }
  bool operator==(AddBlock const&) const = default;
};

/// The fewest blocks that make up the range, ascending: the partial sums that a rank with these micro-batches ends with.
inline std::vector<AddBlock> blocks_of(Range const& range) {
  std::vector<AddBlock> out;
  for (int at = range.first; at < range.end();) {
    int size = 1;
    while (at % (2 * size) == 0 && at + 2 * size <= range.end()) size *= 2;
    out.push_back({at, size});
    at += size;
  }
  return out;
}

/// Adds values in that order as they come, micro-batches ascending. `Value` is a handle (a view): add(left, right) does
/// left ← left + right, and drop(right) gives the right one back.
template <class Value>
class BlockSum {
 public:
  struct Part {
    AddBlock block;
    Value value;
  };
  template <class Add, class Drop>
  void push(Part part, Add&& add, Drop&& drop) {
    while (!parts_.empty() && parts_.back().block.completes(part.block)) {
      Part left = parts_.back();
      parts_.pop_back();
      add(left.value, part.value);
      drop(part.value);
      part = {{left.block.first, 2 * left.block.size}, left.value};
    }
    parts_.push_back(part);
  }
  /// The last part has taken in its neighbour and is now `part`.
  template <class Add, class Drop>
  void replace_last(Part part, Add&& add, Drop&& drop) {
    parts_.pop_back();
    push(part, add, drop);
  }
  /// Adds up what is left, from the right.
  template <class Add, class Drop>
  Value finish(Add&& add, Drop&& drop) {
    while (parts_.size() > 1) {
      Part const right = parts_.back();
      parts_.pop_back();
      add(parts_.back().value, right.value);
      drop(right.value);
    }
    Value const all = parts_.back().value;
    parts_.clear();
    return all;
  }
  std::vector<Part> const& parts() const { return parts_; }
  void clear() { parts_.clear(); }
  void reserve(std::size_t n) { parts_.reserve(n); }

 private:
  std::vector<Part> parts_;
};

}  // namespace kaon

#endif
