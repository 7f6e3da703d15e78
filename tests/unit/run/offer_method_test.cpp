// A method of a program's own, by a deck: what docs/add-a-method.md says.
#include "lion_example.hpp"
#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/run/start/assemble.hpp>
#include <kaon/run/start/offer_method.hpp>
#include <kaon/step/engine.hpp>
#include <kaon/support/quadratic.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace kaon {
namespace {

using test::expect_parts;
using test::message_of;

std::string read(std::string const& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(OfferMethod, ThePageShowsWhatIsCompiled) {
  auto const source = read(KAON_SOURCE_DIR "/tests/unit/run/lion_example.hpp"),
             page = read(KAON_SOURCE_DIR "/docs/add-a-method.md");
  ASSERT_FALSE(source.empty());
  EXPECT_NE(page.find("```cpp\n" + source + "```"), std::string::npos)
      << "docs/add-a-method.md must hold tests/unit/run/lion_example.hpp as it is";
}

Deck lion_deck(std::string const& more) {
  return Deck::from_text(
      "[run]\nsteps = 4\n[objective]\nkind = own\n[optimizer]\nworkers = 2\nstart = zero\n"
      "[group.all]\nlayers = *\nmethod = lion\nradius = 0.25\nweight_decay = 0.5\n" +
          more,
      "own deck");
}

TEST(OfferMethod, ADeckNamesItAndStepsAreItsOwn) {
  expect_parts(message_of<UsageError>([] { lion_deck(""); }), {"own deck:10", "group.all.method = lion", "must be one of"});
  offer_method<Lion>();
  EXPECT_THROW(offer_method<Lion>(), std::invalid_argument);
  expect_parts(message_of<UsageError>([] { lion_deck("lion_beta1 = 1\n"); }), {"own deck:13", "lion_beta1", ">= 0 and < 1"});
  expect_parts(message_of<UsageError>([] { lion_deck("lion_beta = 0.5\n"); }), {"own deck:13", "lion_beta1"});

  std::vector<Layer> const layers{{"a", 6, 4}, {"b", 3, 8}};
  auto const deck = lion_deck("lion_beta1 = 0.5\nnorm = max-abs\n");
  EXPECT_NE(deck.resolved().find("lion_beta2 = 0.99"), std::string::npos);
  auto const plan = layer_settings(deck, layers);
  EXPECT_EQ(plan.warnings, (std::vector<std::string>{"optimizer.start has no effect: it needs a group whose method has a beta",
                                                     "group.all.norm has no effect: it needs method = ef21-muon or muon"}));
  Communicator const self(MPI_COMM_SELF);
  test::Quadratic<double> objective(layers, 2, 77);
  Engine<double> lion(Space(), self, layers, plan.settings, optimizer_settings(deck));
  EXPECT_EQ(lion.methods(), std::vector<std::string>{"lion"});
  EXPECT_EQ(lion.columns(), std::vector<std::string>{"momentum_norm"});
  lion.initialize(objective);
  std::vector<double> m(24, 0.0);
  for (std::uint64_t k = 0; k < 4; ++k)
    for (std::size_t i = 0; i < 1; ++i) {
      auto const start = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, lion.W()[i]);
      auto const old = std::vector<double>(start.data(), start.data() + start.size());
      auto const report = lion.step(objective, k, 1.0, true);
      auto const W = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, lion.W()[i]);
      double square = 0;
      for (std::size_t e = 0; e < old.size(); ++e) {
        double g = 0;
        for (std::uint32_t j = 0; j < 2; ++j) g += (old[e] - random_normal({77, Purpose::test, 1, 0, j}, e)) / 2;
        double const c = 0.5 * m[e] + 0.5 * g;
        m[e] = 0.99 * m[e] + 0.01 * g;
        square += m[e] * m[e];
        EXPECT_NEAR(W.data()[e], (1 - 0.25 * 0.5) * old[e] - 0.25 * (c > 0 ? 1 : -1), 1e-14) << "step " << k << ", entry " << e;
      }
      EXPECT_NEAR(report.layers[0]["momentum_norm"], std::sqrt(square), 1e-14);
    }
}

}  // namespace
}  // namespace kaon
