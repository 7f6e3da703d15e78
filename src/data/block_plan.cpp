#include <kaon/core/error.hpp>
#include <kaon/data/block_plan.hpp>
#include <kaon/data/content_hash.hpp>

#include <algorithm>
#include <numeric>
#include <set>

namespace kaon {

std::vector<std::int64_t> chosen_blocks(std::int64_t tokens, std::vector<std::int64_t> const& edges, BlockLimits const& limits) {
  require(tokens >= 0 && limits.tokens > 0 && limits.most > 1, "chosen_blocks: no such text");
  auto const total = (tokens + limits.tokens - 1) / limits.tokens;
  if (total <= limits.most) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(total));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    return all;
  }
  std::set<std::int64_t> wanted{0, total - 1};
  for (auto const at : edges) wanted.insert(at / limits.tokens);
  std::vector<std::int64_t> const at_edges(wanted.begin(), wanted.end());
  auto const kept =
      std::min<std::int64_t>(static_cast<std::int64_t>(at_edges.size()), std::max<std::int64_t>(2, limits.most / 2));
  std::set<std::int64_t> chosen;
  for (std::int64_t i = 0; i < kept; ++i)
    chosen.insert(at_edges[static_cast<std::size_t>(i * (static_cast<std::int64_t>(at_edges.size()) - 1) / (kept - 1))]);
  auto const stretches = limits.most - kept;
  for (std::int64_t i = 0; i < stretches; ++i) {
    auto const first = total * i / stretches, next = total * (i + 1) / stretches;
    auto const drawn = content_hash(&i, sizeof i, limits.seed) % static_cast<std::uint64_t>(next - first);
    chosen.insert(first + static_cast<std::int64_t>(drawn));
  }
  return {chosen.begin(), chosen.end()};
}

}  // namespace kaon
