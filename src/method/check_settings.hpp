#ifndef KAON_METHOD_CHECK_SETTINGS_HPP
#define KAON_METHOD_CHECK_SETTINGS_HPP

#include <kaon/layer/layer.hpp>
#include <kaon/method/settings.hpp>

#include <cstdint>
#include <vector>

namespace kaon {

/// Throws UsageError, by layer name, unless there are layers, their names are unique and made of letters, digits, '.', '_' and
/// '-', their shapes are positive, and every number of the settings lies in its range.
void check_settings(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                    OptimizerSettings const& optimizer, int micro_batches);

/// A hash of all that is part of the mathematics or of the plan, to compare between ranks.
std::uint64_t settings_hash(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                            OptimizerSettings const& optimizer, int micro_batches);

}  // namespace kaon

#endif
