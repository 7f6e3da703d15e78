#include <kaon/checkpoint/retention.hpp>

#include <algorithm>

namespace kaon {

std::vector<std::uint64_t> retired(std::vector<std::uint64_t> const& steps, Retention const& rule,
                                   std::vector<std::uint64_t> const& linked) {
  std::vector<std::uint64_t> gone;
  if (rule.keep == 0) return gone;
  for (std::size_t i = static_cast<std::size_t>(rule.keep); i < steps.size(); ++i) {
    bool const forever = rule.keep_every > 0 && steps[i] > 0 && steps[i] % rule.keep_every == 0;
    if (!forever && std::find(linked.begin(), linked.end(), steps[i]) == linked.end()) gone.push_back(steps[i]);
  }
  return gone;
}

}  // namespace kaon
