#ifndef KAON_DATA_BLOCK_PLAN_HPP
#define KAON_DATA_BLOCK_PLAN_HPP

#include <cstdint>
#include <vector>

namespace kaon {

/// How much of a text is hashed.
struct BlockLimits {
  std::int64_t tokens = std::int64_t{1} << 20;  ///< in a block
  std::int64_t most = 4096;                     ///< blocks that are read; a longer text is known by as many of its blocks
  std::uint64_t seed = 0;                       ///< what the blocks of a longer text are drawn from
};

/// Which blocks of a text stand for its contents, ascending: all of them, or, of a text with more than limits.most, those that
/// hold a token of `edges` (positions; at most half of limits.most of these, evenly spread, where there are more) and one drawn
/// from each of as many equal stretches of the text as there are blocks left.
std::vector<std::int64_t> chosen_blocks(std::int64_t tokens, std::vector<std::int64_t> const& edges, BlockLimits const& limits);

}  // namespace kaon

#endif
