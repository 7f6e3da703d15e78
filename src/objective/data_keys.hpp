#ifndef KAON_OBJECTIVE_DATA_KEYS_HPP
#define KAON_OBJECTIVE_DATA_KEYS_HPP

#include <kaon/data/settings.hpp>
#include <kaon/keys/key_values.hpp>
#include <kaon/objective/traits.hpp>

#include <vector>

namespace kaon {

/// The section [data], which every objective that reads tokens may share.
std::vector<Key> data_keys();
/// What its values say.
DataSettings data_settings(KeyValues const& data);
/// What they leave without effect.
std::vector<IdleKey> idle_data_keys(KeyValues const& data);

}  // namespace kaon

#endif
