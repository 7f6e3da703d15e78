#include <kaon/deck/offer.hpp>
#include <kaon/method/registry.hpp>
#include <kaon/objective/registry.hpp>
#include <kaon/run/start/offer_method.hpp>
#include <kaon/run/start/offer_objective.hpp>
#include <kaon/run/start/shipped.hpp>

namespace kaon {

namespace {

// Sections in the order that resolved decks have: those of one objective before those that are shared.
bool offer() {
  auto shipped = objective_table<double>();
  for (auto const& entry : shipped) offer_keys(entry.traits.keys, Resolved::always);
  offer_keys(shared_keys(), Resolved::always);
  for (auto const& entry : shipped) offer_kind_of(entry.traits);
  offer_kind("own", "the objective of the C++ program that reads the deck", {});
  for (auto const& name : method_names()) offer_method_keys(method_traits(name));
  return true;
}

}  // namespace

void offer_shipped() { [[maybe_unused]] static bool const offered = offer(); }

namespace {
bool const before_main = (offer_shipped(), true);
}  // namespace

}  // namespace kaon
