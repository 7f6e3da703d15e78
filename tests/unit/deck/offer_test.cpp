// Objectives and methods that a program brings: what decks then say of them, and what cannot be offered. offered.cpp offers those
// that are named here.
#include "sample.hpp"

#include <kaon/deck/offer.hpp>
#include <kaon/deck/reference.hpp>
#include <kaon/deck/schema.hpp>

namespace kaon::test {
namespace {

std::string why_not(std::function<void()> const& offer) {
  auto const before = deck_reference_markdown();
  try {
    offer();
  } catch (std::invalid_argument const& e) {
    EXPECT_EQ(deck_reference_markdown(), before) << "nothing changes";
    return e.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

Key good() { return {.section = "mine", .name = "width", .type = KeyType::integer, .fallback = "3", .help = "a width"}; }

TEST(Offer, KeysThatCannotBe) {
  auto const with = [](auto change) {
    return why_not([&] {
      auto key = good();
      change(key);
      offer_keys({good(), key});
    });
  };
  expect_parts(with([](Key&) {}), {"mine.width", "there already"});
  auto const other = [&](auto change) {
    return with([&](Key& k) {
      k.name = "other";
      change(k);
    });
  };
  expect_parts(other([](Key& k) { k.section = "run"; }), {"run.other", "the deck's own"});
  expect_parts(other([](Key& k) { k.section = "group"; }), {"group.other", "the deck's own"});
  expect_parts(other([](Key& k) { k.section = "a b"; }), {"letters"});
  expect_parts(other([](Key& k) { k.name = "a.b"; }), {"letters"});
  expect_parts(other([](Key& k) { k.help = ""; }), {"help"});
  expect_parts(other([](Key& k) { k.fallback = "x"; }), {"default 'x'", "an integer"});
  expect_parts(other([](Key& k) { k.fallback = "03"; }), {"'03' is written '3'"});
  expect_parts(other([](Key& k) { k.low = 4; }), {"default '3'", ">= 4"});
  expect_parts(other([](Key& k) { k.fallback = ""; }), {"no default and is not required"});
  expect_parts(other([](Key& k) { k.required = true; }), {"required and has a default"});
  expect_parts(other([](Key& k) { k.low = 2, k.high = 1; }), {"low is above high"});
  expect_parts(other([](Key& k) { k.choices = {"a"}; }), {"choices"});
  expect_parts(other([](Key& k) { k.inherits = "run.steps"; }), {"inherit"});
}

TEST(Offer, KindsAndMethodsThatCannotBe) {
  expect_parts(why_not([] { offer_kind("model", "again", {}); }), {"objective model", "there already"});
  expect_parts(why_not([] { offer_kind("a,b", "odd", {}); }), {"letters"});
  expect_parts(why_not([] { offer_kind("new", "of nothing", {"nothing"}); }), {"[nothing]"});
  expect_parts(why_not([] { offer_kind("new", "of the deck's", {"run"}); }), {"[run]"});
  expect_parts(why_not([] { offer_group_method("shifted", "again", {}, {}); }), {"method shifted", "there already"});
  expect_parts(why_not([] { offer_group_method("new", "odd", {}, {"radios"}); }), {"no key radios"});
  expect_parts(why_not([] { offer_group_method("new", "odd", {good()}, {}); }), {"of the section group"});
  expect_parts(why_not([] { offer_choice("run", "steps", "many"); }), {"no such key"});
}

TEST(Offer, SectionsStandBehindTheObjective) {
  EXPECT_EQ(sections(), (std::vector<std::string>{"run", "objective", "model", "fit", "data", "optimizer", "exchange",
                                                  "checkpoint", "group"}));
  auto const page = deck_reference_markdown();
  for (auto const* part : {"## [model]\n\nRead where objective.kind = model.\n", "one of model, fit, own", "| required for fit |",
                           "| `rank` | an integer >= 1 | required for dense |", "dense: uncompressed (reads radius)"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
}

TEST(Offer, ValuesForThoseWhoKnowNoDeck) {
  auto const deck = deck_of(smallest + "[model]\nwidth = 64\n", {"model.tied=yes"});
  auto const model = deck.values("model");
  EXPECT_EQ(model.section(), "model");
  EXPECT_EQ(model.integer("width"), 64);
  EXPECT_EQ(model.integer64("heads"), 4);
  EXPECT_TRUE(model.flag("tied"));
  EXPECT_EQ(model.where("width"), "deck.ini:13");
  EXPECT_EQ(model.where("tied"), "command line");
  EXPECT_EQ(model.where("heads"), "deck.ini");
  EXPECT_EQ(model.texts().at("tied"), "yes");
  EXPECT_THROW(model.integer("depth"), std::invalid_argument);
  EXPECT_THROW(model.real("width"), std::invalid_argument);
  EXPECT_THROW(deck.values("nothing"), std::invalid_argument);
  EXPECT_EQ(deck.values("data").list("train"), std::vector<std::string>{"a.txt"});
  auto const group = deck.values("group.all");
  EXPECT_EQ(group.text("method"), "shifted");
  EXPECT_EQ(group.real("beta"), 0.1) << "an inherited value";
  EXPECT_THROW(group.integer("rank"), std::invalid_argument) << "it has none";
  try {
    model.refuse("width", "is too wide");
  } catch (UsageError const& e) {
    EXPECT_STREQ(e.what(), "deck.ini:13: model.width = 64: is too wide");
  }
  auto const all = deck.objective_values();
  EXPECT_EQ(all["data"].real("validation_fraction"), 0.05);
  EXPECT_THROW(all["fit"], std::invalid_argument);
}

TEST(Method, KeysOfItsOwnCountInItsGroupsAlone) {
  std::string const two = smallest + "[group.b]\nlayers = b\nmethod = dense\nrank = 3\nradius = 1\n";
  auto const deck = deck_of(two, {"group.all.damping=0.5"});
  EXPECT_TRUE(deck.counts("group.b.rank"));
  EXPECT_FALSE(deck.counts("group.all.rank"));
  EXPECT_TRUE(deck.counts("group.all.polar")) << "part of norm";
  EXPECT_FALSE(deck.counts("group.b.polar"));
  EXPECT_TRUE(deck.counts("group.b.layers"));
  EXPECT_TRUE(deck.changed("group.all.damping"));
  EXPECT_FALSE(deck.changed("group.b.damping"));
  expect_parts(refusal(smallest + "method = dense\n"), {"group.all.rank is missing", "an integer >= 1"});
  expect_parts(refusal(smallest + "method = dense\nrank = 0\n"), {"deck.ini:13: group.all.rank = 0", "an integer >= 1"});
  expect_parts(refusal(smallest + "method = thick\n"), {"group.all.method = thick", "one of shifted, dense"});
  expect_parts(refusal(smallest + "damper = 1\n"), {"the nearest known key is group.all.damping"});
  auto const resolved = deck.resolved();
  auto const b = resolved.substr(resolved.find("[group.b]"));
  EXPECT_EQ(b,
            "[group.b]\nlayers = b\nmethod = dense\nradius = 1\ndamping = 0.9\nrank "
            "= 3\n");
  EXPECT_NE(resolved.find("[group.all]\nlayers = *\nmethod = shifted\nnorm ="), std::string::npos);
  EXPECT_NE(resolved.find("damping = 0.5\n\n[group.b]"), std::string::npos) << "what was said stays";
  EXPECT_EQ(deck_of(resolved).resolved(), resolved);
}

TEST(Method, TheDefaultOneLeavesTheTextAsItWas) {
  auto const resolved = deck_of(smallest).resolved();
  for (auto const* key : {"method", "damping", "rank"}) EXPECT_EQ(resolved.find(key), std::string::npos) << key;
  EXPECT_EQ(deck_of(smallest + "method = shifted\n").resolved(), resolved);
  auto const old = Deck::from_checkpoint(resolved, "old");
  EXPECT_TRUE(deck_of(smallest + "method = shifted\n").disagreements(old).empty());
  auto const lines = deck_of(smallest + "method = dense\nrank = 2\n").disagreements(old);
  ASSERT_EQ(lines.size(), 2u);
  expect_parts(lines[0], {"group.all.method: 'dense' in deck.ini:12, 'shifted' by default in old"});
}

TEST(Method, TheConstrainedFormAsksForWhatCounts) {
  std::string const form = "[optimizer]\nform = constrained\nweight_decay = 0.1\n";
  EXPECT_NE(refusal(smallest + form), "");
  EXPECT_EQ(refusal(smallest + "method = dense\nrank = 1\n" + form), "");
}

TEST(Offer, ResolvedDecksHaveWhatIsReadOrChanged) {
  auto const has = [](Deck const& deck, char const* section) { return deck.resolved().find(section) != std::string::npos; };
  EXPECT_TRUE(has(deck_of(smallest), "[model]"));
  EXPECT_FALSE(has(deck_of(smallest), "[fit]"));
  EXPECT_TRUE(has(deck_of(smallest, {"fit.noise=1"}), "[fit]\nproblem =\nnoise = 1\n"));
  auto const fit = deck_of(smallest, {"objective.kind=fit", "fit.problem=p", "data.train="});
  EXPECT_TRUE(has(fit, "[fit]\nproblem = p\nnoise = 0\n"));
  EXPECT_TRUE(has(fit, "[model]")) << "offered as always there";
  EXPECT_FALSE(has(fit, "[data]"));
}

std::string const stranger =
    "[run]\nsteps = 3\n[objective]\nkind = theirs\n[theirs]\ndepth = 3\nfiles = a, \"b c\"\n[optimizer]\nworkers = 2\n"
    "[group.g]\nlayers = *\nmethod = sideways\nslope = 0.5\nnorm = odd\n";

TEST(Foreign, ACheckpointsDeckOfAProgramThatKnowsMoreIsRead) {
  expect_parts(refusal(stranger), {"deck.ini:4: objective.kind = theirs"});
  auto const deck = Deck::from_checkpoint(stranger, "step-3.h5", {"optimizer.workers=4"});
  EXPECT_EQ(deck.foreign(),
            (std::vector<std::string>{"group.g.method = sideways", "group.g.norm = odd", "group.g.slope = 0.5",
                                      "objective.kind = theirs", "theirs.depth = 3", "theirs.files = a, \"b c\""}));
  EXPECT_EQ(deck.text("objective.kind"), "theirs");
  EXPECT_EQ(deck.integer("theirs.depth"), 3) << "read as it is asked for";
  EXPECT_EQ(deck.list("theirs.files"), (std::vector<std::string>{"a", "b c"}));
  EXPECT_THROW(deck.integer("theirs.files"), std::invalid_argument);
  EXPECT_EQ(deck.integer("optimizer.workers"), 4);
  auto const text = deck.resolved();
  EXPECT_NE(text.find("\nkind = theirs\n\n[theirs]\ndepth = 3\nfiles = a, \"b c\"\n\n[model]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("[group.g]\nlayers = *\nmethod = sideways\nnorm = odd\nslope = 0.5\n"), std::string::npos)
      << "nothing is added to a group whose method nobody knows: " << text;
  EXPECT_EQ(Deck::from_checkpoint(text, "again").resolved(), text);
}

TEST(Foreign, WhatIsWrittenNowIsKnown) {
  for (auto const* o : {"theirs.depth=4", "theirs.width=4", "group.g.slope=1", "group.g.norm=odder"})
    EXPECT_THROW(Deck::from_checkpoint(stranger, "step-3.h5", {o}), UsageError) << o;
}

TEST(Foreign, ForbidsToGoOn) {
  auto const lines = deck_of(smallest).disagreements(Deck::from_checkpoint(smallest + "[theirs]\ndepth = 3\n", "step-3.h5"));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "theirs.depth: unknown to this program, '3' in step-3.h5");
}

}  // namespace
}  // namespace kaon::test
