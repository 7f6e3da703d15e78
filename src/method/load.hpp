#ifndef KAON_METHOD_LOAD_HPP
#define KAON_METHOD_LOAD_HPP

#include <kaon/layer/layer.hpp>
#include <kaon/method/settings.hpp>
#include <kaon/plan/plan.hpp>

#include <cstddef>

namespace kaon {

/// What a plan balances by, in a run and in its prediction: a layer's oracle, and its longest packet of a steady step, of which
/// the payload has `up_bound` or `down_bound` bytes.
LayerLoad load_of(Layer const& layer, LayerSettings const& settings, std::size_t up_bound, std::size_t down_bound);

}  // namespace kaon

#endif
