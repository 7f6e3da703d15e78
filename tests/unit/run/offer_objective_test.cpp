// An objective of a program's own that a deck names, with keys of its own: what docs/own-objective.md says.
#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/run/start/assemble.hpp>
#include <kaon/run/start/idle_keys.hpp>
#include <kaon/run/start/offer_objective.hpp>
#include <kaon/run/start/shipped.hpp>
#include <kaon/support/quadratic.hpp>

#include <gtest/gtest.h>

namespace kaon::test {
namespace {

template <class T>
struct Bowl {
  static std::unique_ptr<Objective<T>> make(SectionValues const& values, int workers, std::uint64_t seed) {
    auto const& bowl = values["bowl"];
    if (bowl.integer("width") == 13) bowl.refuse("width", "is unlucky");
    return std::make_unique<Quadratic<T>>(std::vector<Layer>{{"a", bowl.integer("width"), 2}}, workers, seed);
  }
};

ObjectiveTraits bowl_traits() {
  return {.name = "bowl",
          .help = "a bowl of a test",
          .keys = {{.section = "bowl",
                    .name = "width",
                    .type = KeyType::integer,
                    .fallback = "3",
                    .low = 1,
                    .high = most_int,
                    .help = "rows"},
                   {.section = "bowl", .name = "depth", .type = KeyType::real, .fallback = "1", .help = "of the bowl"}},
          .shares = {"data"},
          .check =
              [](SectionValues const& values) {
                if (values["bowl"].real("depth") > values["bowl"].integer("width"))
                  values["bowl"].refuse("depth", "is above bowl.width");
              },
          .idle = [](SectionValues const& values) -> std::vector<IdleKey> {
            if (values["bowl"].integer("width") > 1) return {};
            return {{"bowl.depth", "a bowl.width above 1"}, {"run.log_every", "a bowl.width above 1"}};
          }};
}

bool const offered = (offer_shipped(), offer_objective<Bowl>(bowl_traits()), true);

Deck bowl_deck(std::string const& keys, std::string const& kind = "bowl") {
  return Deck::from_text("[run]\nsteps = 3\n[objective]\nkind = " + kind + "\n[optimizer]\nworkers = 2\n[data]\ntrain = a\n" +
                             "[group.all]\nlayers = *\nradius = 0.25\n[bowl]\n" + keys,
                         "own deck");
}

TEST(OfferObjective, ADeckNamesItAndItsKeysAreItsOwn) {
  ASSERT_TRUE(offered);
  auto const objective = make_objective<double>(bowl_deck("width = 5\n"));
  EXPECT_EQ(objective->layers()[0].rows, 5);
  EXPECT_EQ(make_objective<float>(bowl_deck(""))->layers()[0].rows, 3);
  EXPECT_NE(bowl_deck("width = 5\n").resolved().find("\n[bowl]\nwidth = 5\ndepth = 1\n\n[optimizer]\n"), std::string::npos)
      << bowl_deck("").resolved();
}

TEST(OfferObjective, BadValuesAreNamedWhereTheyStand) {
  auto const refusal = [](std::string const& keys) {
    return message_of<UsageError>([&] { make_objective<float>(bowl_deck(keys)); });
  };
  expect_parts(refusal("width = 0\n"), {"own deck:13: bowl.width = 0", "an integer >= 1"});
  expect_parts(refusal("widht = 1\n"), {"unknown key bowl.widht", "is bowl.width"});
  expect_parts(refusal("depth = 4\n"), {"own deck:13: bowl.depth = 4: is above bowl.width"});
  expect_parts(refusal("width = 13\n"), {"own deck:13: bowl.width = 13: is unlucky"});
}

TEST(OfferObjective, ARestartComparesItsKeys) {
  auto const stored = Deck::from_checkpoint(bowl_deck("").resolved(), "step-3.h5");
  EXPECT_TRUE(bowl_deck("width = 3\n").disagreements(stored).empty());
  auto const lines = bowl_deck("width = 4\n").disagreements(stored);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "bowl.width: '4' in own deck:13, '3' in step-3.h5");
}

TEST(OfferObjective, IdleKeys) {
  EXPECT_TRUE(idle_keys(bowl_deck("width = 4\ndepth = 2\n")).empty());
  EXPECT_EQ(idle_keys(bowl_deck("width = 1\ndepth = 0.5\n")),
            std::vector<std::string>{"bowl.depth has no effect: it needs a bowl.width above 1"});
  auto const of_gpt = idle_keys(bowl_deck("width = 4\n", "gpt"));
  EXPECT_EQ(of_gpt, std::vector<std::string>{"bowl.width has no effect: it needs objective.kind = bowl"});
  EXPECT_TRUE(idle_keys(bowl_deck("width = 4\n", "own")).empty());
}

TEST(OfferObjective, OnceAndUnderANameOfItsOwn) {
  EXPECT_THROW(offer_objective<Bowl>(bowl_traits()), std::invalid_argument);
  auto other = bowl_traits();
  other.name = "other";
  EXPECT_THROW(offer_objective<Bowl>(other), std::invalid_argument) << "its keys are taken";
  EXPECT_EQ(find_objective("other"), nullptr);
  other.name = "gpt";
  EXPECT_THROW(offer_objective<Bowl>(other), std::invalid_argument);
}

}  // namespace
}  // namespace kaon::test
