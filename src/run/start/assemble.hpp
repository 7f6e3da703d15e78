#ifndef KAON_RUN_START_ASSEMBLE_HPP
#define KAON_RUN_START_ASSEMBLE_HPP

#include <kaon/checkpoint/retention.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/method/settings.hpp>
#include <kaon/objective/objective.hpp>
#include <kaon/run/saving/save_policy.hpp>
#include <kaon/step/schedule.hpp>

#include <memory>
#include <string>
#include <vector>

namespace kaon {

/// The objective that [objective] names, with its data loaded. Throws UsageError and InputError as the objectives do.
template <class T>
std::unique_ptr<Objective<T>> make_objective(Deck const& deck);

OptimizerSettings optimizer_settings(Deck const& deck);
Schedule make_schedule(Deck const& deck);
/// What [checkpoint] says about which files stay, and when they are written.
Retention retention(Deck const& deck);
SavePolicy::Settings save_settings(Deck const& deck);

/// What the groups of the deck say about each layer.
struct LayerPlan {
  std::vector<LayerSettings> settings;
  std::vector<std::string> group;        ///< name of each layer's group
  std::vector<std::size_t> group_index;  ///< the same by place in Deck::groups()
  std::vector<std::string> warnings;     ///< groups that no layer joined
};
/// Throws UsageError naming the layer that no group matches.
LayerPlan layer_settings(Deck const& deck, std::vector<Layer> const& layers);

}  // namespace kaon

#endif
