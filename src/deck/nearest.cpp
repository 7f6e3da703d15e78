#include <kaon/deck/nearest.hpp>

#include <algorithm>
#include <numeric>

namespace kaon {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view word, std::vector<std::string> const& candidates) {
  auto const last_part = [](std::string_view s) { return s.substr(s.rfind('.') + 1); };
  std::string best;
  std::size_t fewest = static_cast<std::size_t>(-1);
  for (auto const& candidate : candidates) {
    std::size_t edits = edit_distance(word, candidate);
    if (candidate.find('.') != std::string::npos && last_part(word) == last_part(candidate))
      edits = std::min<std::size_t>(edits, 1);
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

}  // namespace kaon
