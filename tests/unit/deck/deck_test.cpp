#include "sample.hpp"

#include <kaon/deck/schema.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <fstream>

namespace kaon::test {
namespace {

TEST(Deck, DefaultsAndGivenValues) {
  auto const deck = deck_of(smallest);
  EXPECT_EQ(deck.integer64("run.steps"), 100);
  EXPECT_EQ(deck.integer("optimizer.workers"), 4);
  EXPECT_EQ(deck.text("run.precision"), "float");
  EXPECT_EQ(deck.real("optimizer.beta"), 0.1);
  EXPECT_FALSE(deck.flag("model.tied"));
  EXPECT_EQ(deck.list("data.train"), std::vector<std::string>{"a.txt"});
  EXPECT_EQ(deck.text("data.validation"), "");
  EXPECT_EQ(deck.real("group.all.radius"), 0.02);
  EXPECT_EQ(deck.text("group.all.uplink"), "identity");
  EXPECT_FALSE(deck.has_default("run.steps"));
  EXPECT_TRUE(deck.has_default("run.seed"));
  EXPECT_EQ(deck.origin(), "deck.ini");
}

TEST(Deck, CommentsBlanksAndLineEnds) {
  auto const deck =
      deck_of("# head\r\n[run] # the run\r\n  steps =  7  # seven\r\n\r\n" + smallest.substr(smallest.find("[objective]")));
  EXPECT_EQ(deck.integer("run.steps"), 7);
}

TEST(Deck, GroupsInOrderOfAppearance) {
  auto const deck = deck_of(smallest + "[group.b]\nlayers = b\nradius = 1\n[group.a.1]\nlayers = a\nradius = 2\n");
  EXPECT_EQ(deck.groups(), (std::vector<std::string>{"all", "b", "a.1"}));
  EXPECT_EQ(deck.real("group.a.1.radius"), 2);
}

TEST(Deck, GroupsInherit) {
  auto const text = smallest + "[group.own]\nlayers = b\nradius = 1\nbeta = 0.5\nweight_decay = 0\n";
  auto const deck = deck_of(text, {"optimizer.beta=0.25", "optimizer.weight_decay=0.125"});
  EXPECT_EQ(deck.real("group.all.beta"), 0.25);
  EXPECT_EQ(deck.real("group.all.weight_decay"), 0.125);
  EXPECT_EQ(deck.real("group.own.beta"), 0.5);
  EXPECT_EQ(deck.real("group.own.weight_decay"), 0);
  EXPECT_TRUE(deck.has_default("group.all.beta"));
}

TEST(Deck, OverridesReplaceAndAdd) {
  auto const deck = deck_of(smallest, {"run.steps=5", "group.all.radius = 3", "group.new.layers=x y", "group.new.radius=1"});
  EXPECT_EQ(deck.integer("run.steps"), 5);
  EXPECT_EQ(deck.real("group.all.radius"), 3);
  EXPECT_EQ(deck.groups().back(), "new");
  EXPECT_EQ(deck.list("group.new.layers"), (std::vector<std::string>{"x", "y"}));
}

TEST(Deck, ResolvedRoundTrip) {
  auto const deck = deck_of(smallest + "[group.b c]\nlayers = \"two words\", b?\nradius = 0.1\nuplink = top:0.15+natural\n",
                            {"optimizer.beta=0.30000000000000004", "model.tied=true"});
  auto const text = deck.resolved();
  auto const again = deck_of(text);
  EXPECT_EQ(again.resolved(), text);
  EXPECT_EQ(again.groups(), deck.groups());
  EXPECT_EQ(again.real("optimizer.beta"), 0.1 + 0.2);
  EXPECT_EQ(again.list("group.b c.layers"), deck.list("group.b c.layers"));
  EXPECT_EQ(again.real("group.all.beta"), 0.1 + 0.2) << "an inherited value stays inherited";
  EXPECT_TRUE(deck.disagreements(again).empty());
  for (auto const& key : schema()) {
    if (key.section == "fit") continue;  // of another objective
    bool const there = key.section != "group" || (deck.counts("group.all." + key.name) && key.name != "method");
    EXPECT_EQ(text.find(fmt::format("\n{} =", key.name)) != std::string::npos, there) << key.name;
  }
  EXPECT_EQ(text.find(" \n"), std::string::npos) << "no blanks at line ends";
}

TEST(Deck, FromFile) {
  auto const path = ::testing::TempDir() + "kaon_deck_test.ini";
  std::ofstream(path) << smallest;
  EXPECT_EQ(Deck::from_file(path, {"run.steps=9"}).integer("run.steps"), 9);
  std::ofstream(path) << "[run]\nsteps = x\n";
  try {
    Deck::from_file(path);
    ADD_FAILURE() << "accepted";
  } catch (UsageError const& e) {
    expect_parts(e.what(), {path, "run.steps", "= x"});
  }
  std::remove(path.c_str());
  EXPECT_THROW(Deck::from_file(path), UsageError);
  EXPECT_THROW(Deck::from_file(::testing::TempDir()), UsageError) << "a folder";
}

TEST(Deck, AskingForWhatTheSchemaLacks) {
  auto const deck = deck_of(smallest);
  EXPECT_THROW(deck.integer("run.stepz"), std::invalid_argument);
  EXPECT_THROW(deck.real("run.steps"), std::invalid_argument);
  EXPECT_THROW(deck.text("group.nobody.norm"), std::invalid_argument);
  EXPECT_THROW(deck.has_default("run.stepz"), std::invalid_argument);
  EXPECT_THROW(deck_of(smallest, {"run.seed=3000000000"}).integer("run.seed"), std::invalid_argument) << "needs integer64";
}

TEST(Deck, ASecondObjective) {
  std::string const text =
      "[run]\nsteps=1\n[objective]\nkind=fit\n[fit]\nproblem=p.h5\nnoise=0.5\n[optimizer]\nworkers=1\n"
      "[group.x]\nlayers=*\nradius=1\n";
  EXPECT_EQ(deck_of(text).text("fit.problem"), "p.h5");
  EXPECT_EQ(deck_of(text).real("fit.noise"), 0.5);
  expect_parts(refusal(text, {"fit.problem="}), {"fit.problem is missing", "objective.kind = fit"});
}

}  // namespace
}  // namespace kaon::test
