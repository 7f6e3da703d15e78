#include <kaon/run/saving/best.hpp>

#include <fmt/format.h>

#include <cmath>
#include <sstream>

namespace kaon {

namespace {
constexpr char const* key = "best_validation";  // "<loss> <step>"
}

void to_provenance(std::optional<Best> const& best, std::map<std::string, std::string>& provenance) {
  if (best) provenance[key] = fmt::format("{:.17g} {}", best->loss, best->step);
}

std::optional<Best> best_in(std::map<std::string, std::string> const& provenance) {
  auto const it = provenance.find(key);
  if (it == provenance.end()) return {};
  std::istringstream text(it->second);
  Best best;
  if (!(text >> best.loss >> best.step)) return {};
  return best;
}

bool is_better(double loss, std::optional<Best> const& best) { return !std::isnan(loss) && (!best || loss < best->loss); }

}  // namespace kaon
