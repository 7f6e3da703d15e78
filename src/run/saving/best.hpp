#ifndef KAON_RUN_SAVING_BEST_HPP
#define KAON_RUN_SAVING_BEST_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace kaon {

/// The smallest validation loss of a run so far, and the step that it was measured at. Travels in the provenance of checkpoints,
/// to the last bit.
struct Best {
  double loss = 0;
  std::uint64_t step = 0;
};

void to_provenance(std::optional<Best> const& best, std::map<std::string, std::string>& provenance);
/// None where the provenance has none, or none that can be read.
std::optional<Best> best_in(std::map<std::string, std::string> const& provenance);

/// `loss` is a number, and smaller than that of the best so far.
bool is_better(double loss, std::optional<Best> const& best);

}  // namespace kaon

#endif
