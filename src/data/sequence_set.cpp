#include <kaon/core/error.hpp>
#include <kaon/data/sequence_set.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {

void SequenceSet::append(std::int64_t const first, std::int64_t const count) {
  require(first >= end_ && count >= 0, "SequenceSet: runs must ascend");
  if (count == 0) return;
  runs_.push_back({first, size_});
  end_ = first + count;
  size_ += count;
}

std::int64_t SequenceSet::at(std::int64_t const i) const {
  require(i >= 0 && i < size_, "SequenceSet: index outside the set");
  auto const run = std::upper_bound(runs_.begin(), runs_.end(), i, [](std::int64_t n, Run const& r) { return n < r.before; }) - 1;
  return run->first + (i - run->before);
}

HeldOut hold_out(std::int64_t const sequences, double const fraction) {
  require(sequences >= 0 && fraction >= 0 && fraction < 1, "hold_out: the fraction must lie in [0, 1)");
  HeldOut cut;
  auto const wanted = std::llround(fraction * static_cast<double>(sequences));
  auto const blocks = std::min<std::int64_t>(wanted, 64);
  std::int64_t done = 0;
  for (std::int64_t b = 0; b < blocks; ++b) {
    auto const stretch = sequences * b / blocks;
    auto const next = sequences * (b + 1) / blocks;
    auto const length = wanted * (b + 1) / blocks - wanted * b / blocks;
    auto const first = stretch + (next - stretch - length) / 2;
    cut.train.append(done, first - done);
    cut.validation.append(first, length);
    done = first + length;
  }
  cut.train.append(done, sequences - done);
  return cut;
}

}  // namespace kaon
