// A norm of a program's own, by a deck: what docs/add-a-norm.md says.
#include "../lmo/odd_norm_example.hpp"
#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/run/start/assemble.hpp>
#include <kaon/run/start/offer_norm.hpp>
#include <kaon/step/engine.hpp>
#include <kaon/support/quadratic.hpp>

#include <gtest/gtest.h>

#include <cmath>

namespace kaon {
namespace {

using test::expect_parts;
using test::message_of;

Deck odd_deck(std::string const& norm) {
  return Deck::from_text("[run]\nsteps = 3\n[objective]\nkind = own\n[optimizer]\nworkers = 2\n[group.all]\nlayers = *\nnorm = " +
                             norm + "\nradius = 0.25\nscale = input\n",
                         "own deck");
}

TEST(OfferNorm, ADeckNamesItAndStepsAreItsOwn) {
  auto const before = message_of<UsageError>([] { odd_deck("odd"); });
  expect_parts(before, {"own deck:9", "group.all.norm = odd", "must be one of"});
  offer_norm<OddNorm>(OddNorm<float, Kokkos::DefaultHostExecutionSpace>::traits());
  EXPECT_THROW(offer_norm<OddNorm>(OddNorm<float, Kokkos::DefaultHostExecutionSpace>::traits()), std::invalid_argument);
  expect_parts(message_of<UsageError>([] { odd_deck("odder"); }), {"dual-ky-fan, odd"});

  std::vector<Layer> const layers{{"a", 6, 4}, {"b", 3, 8}};
  auto const deck = odd_deck("odd");
  auto const plan = layer_settings(deck, layers);
  ASSERT_EQ(plan.settings[0].lmo.norm, "odd");
  Communicator const self(MPI_COMM_SELF);
  test::Quadratic<double> objective(layers, 2, 77);
  Engine<double> muon(Space(), self, layers, plan.settings, optimizer_settings(deck));
  muon.initialize(objective);
  for (std::size_t i = 0; i < 2; ++i) {
    auto const start = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, muon.W()[i]);
    auto const old = std::vector<double>(start.data(), start.data() + start.size());
    muon.step(objective, i, 1.0, false);
    auto const W = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, muon.W()[i]);
    for (int r = 0; r < layers[i].rows; ++r)
      for (int c = 0; c < layers[i].cols; ++c) {
        double const step = std::fabs(W(r, c) - old[static_cast<std::size_t>(r * layers[i].cols + c)]);
        EXPECT_NEAR(step, 0.25 / layers[i].cols * (c % 2 == 0 ? 1 : 0.5), 1e-15) << "layer " << i << ", " << r << ", " << c;
      }
  }
}

}  // namespace
}  // namespace kaon
