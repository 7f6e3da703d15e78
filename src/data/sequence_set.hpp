#ifndef KAON_DATA_SEQUENCE_SET_HPP
#define KAON_DATA_SEQUENCE_SET_HPP

#include <cstdint>
#include <vector>

namespace kaon {

/// An ordered set of sequence numbers, kept as runs of neighbours.
class SequenceSet {
 public:
  /// Adds the numbers [first, first+count), which must lie above all that are there.
  void append(std::int64_t first, std::int64_t count);
  std::int64_t size() const { return size_; }
  /// The i-th number in ascending order, 0 ≤ i < size().
  std::int64_t at(std::int64_t i) const;

 private:
  struct Run {
    std::int64_t first;
    std::int64_t before;  // numbers in earlier runs
  };
  std::vector<Run> runs_;
  std::int64_t end_ = 0;
  std::int64_t size_ = 0;
};

struct HeldOut {
  SequenceSet train;
  SequenceSet validation;
};

/// Cuts `sequences` numbers into training and validation: about fraction·sequences of them are held out as up to 64 whole blocks,
/// each in the middle of one of as many equal stretches of the text, so that every part of the text is seen by both.
/// 0 ≤ fraction < 1; disjoint, and together everything.
HeldOut hold_out(std::int64_t sequences, double fraction);

}  // namespace kaon

#endif
