#include "sample.hpp"

#include <kaon/deck/schema.hpp>

#include <fmt/format.h>

namespace kaon::test {
namespace {

TEST(Refusal, UnknownKeyNamesTheNearest) {
  expect_parts(refusal(smallest + "[optimizer]\nwokers = 3\n"),
               {"deck.ini", "unknown key optimizer.wokers", "is optimizer.workers"});
  expect_parts(refusal("steps = 3\n" + smallest), {"unknown key steps", "is run.steps"});
  expect_parts(refusal("[optimiser]\nbeta = 1\n" + smallest), {"optimiser.beta", "is optimizer.beta"});
  expect_parts(refusal(smallest + "raduis = 1\n"), {"group.all.raduis", "is group.all.radius"});
  expect_parts(refusal(smallest, {"run.step=3"}), {"command line", "unknown key run.step;", "is run.steps"});
  expect_parts(refusal(smallest + "[group]\nradius = 1\n"), {"unknown key group.radius"});
}

TEST(Refusal, UnknownSectionWithoutKeys) {
  expect_parts(refusal(smallest + "[checkpiont]\n"), {"deck.ini", "[checkpiont]", "[checkpoint]"});
  expect_parts(refusal(smallest + "[group]\n"), {"[group]", "[group.NAME]"});
  expect_parts(refusal(smallest + "[group.empty]\n"), {"group.empty.layers is missing"});
}

TEST(Refusal, WrongTypeOrRangeNamesFileKeyValueAndAllowed) {
  struct Case {
    char const* key;
    char const* value;
    char const* allowed;
  };
  for (auto const& c :
       {Case{"run.steps", "-1", "an integer >= 0"}, Case{"run.steps", "1e6", "an integer"},
        Case{"optimizer.workers", "0", "an integer >= 1"}, Case{"optimizer.beta", "0", "a number > 0 and <= 1"},
        Case{"optimizer.beta", "1.5", "a number > 0 and <= 1"}, Case{"run.precision", "half", "one of float, double"},
        Case{"model.tied", "maybe", "yes or no"}, Case{"group.all.radius", "0", "a number > 0"},
        Case{"group.all.norm", "operator", "spectral, max-abs"}, Case{"optimizer.schedule", "sine", "inverse-sqrt"},
        Case{"model.width", "99999999999", "an integer >= 1"}, Case{"run.seed", "", "empty"}}) {
    auto const message = refusal(smallest, {std::string(c.key) + "=" + c.value});
    expect_parts(message, {"command line", c.key, std::string("= ") + c.value, c.allowed});
  }
  expect_parts(refusal(smallest + "factor = big\n"), {"deck.ini:12: group.all.factor = big: must be a number > 0"});
}

TEST(Refusal, Duplicates) {
  expect_parts(refusal(smallest + "radius = 0.02\n"), {"deck.ini", "group.all.radius", "twice"});
  expect_parts(refusal(smallest + "[run]\nsteps = 3\n"), {"run.steps", "twice"});
  expect_parts(refusal(smallest, {"run.seed=1", "run.seed=1"}), {"command line", "run.seed", "twice"});
  EXPECT_EQ(refusal(smallest + "[run]\nseed = 3\n"), "") << "a section may come in parts";
}

TEST(Refusal, MissingKeys) {
  for (auto const* key : {"steps", "kind", "train", "workers", "layers", "radius"}) {
    auto text = smallest;
    auto const at = text.find(fmt::format("\n{} = ", key));
    ASSERT_NE(at, std::string::npos);
    text.erase(at, text.find('\n', at + 1) - at);
    expect_parts(refusal(text), {"deck.ini", std::string(".") + key + " is missing"});
  }
}

TEST(Refusal, AnOverrideOfAGroupWithASlipNamesTheGroup) {
  expect_parts(refusal(smallest, {"group.al.radius=0.1"}), {"group.al.layers is missing", "was group.all meant?"});
  EXPECT_EQ(refusal(smallest, {"group.hidden.radius=0.1"}).find("meant"), std::string::npos);
}

TEST(Refusal, NoGroup) { expect_parts(refusal(smallest.substr(0, smallest.find("[group"))), {"deck.ini", "[group.NAME]"}); }

TEST(Refusal, KeysThatContradict) {
  expect_parts(refusal(smallest, {"model.width=130"}), {"model.width = 130", "model.heads = 4"});
}

TEST(Refusal, ConstrainedForm) {
  std::string const form = "optimizer.form=constrained";
  EXPECT_EQ(refusal(smallest, {form}), "");
  expect_parts(refusal(smallest, {form, "optimizer.weight_decay=0.1"}), {"group.all.weight_decay = 0.1", "constrained"});
  EXPECT_EQ(refusal(smallest, {form, "optimizer.weight_decay=0.1", "group.all.weight_decay=0"}), "")
      << "the group's own value counts";
  expect_parts(refusal(smallest, {form, "group.all.radius=1.5"}), {"group.all.radius = 1.5", "at most 1", "group.all.factor"});
  EXPECT_EQ(refusal(smallest, {form, "group.all.radius=1"}), "");
  EXPECT_EQ(refusal(smallest, {form, "group.all.radius=1.5", "optimizer.schedule=inverse-sqrt"}), "");
  EXPECT_EQ(refusal(smallest, {"group.all.radius=1.5", "optimizer.weight_decay=0.1"}), "");
}

TEST(Refusal, Syntax) {
  expect_parts(refusal(smallest + "just words\n"), {"deck.ini", "just words", "key = value"});
  expect_parts(refusal(smallest, {"run.steps"}), {"command line", "'run.steps'", "section.key=value"});
  expect_parts(refusal(smallest, {"=3"}), {"section.key=value"});
  expect_parts(refusal(smallest, {"run.directory=a#b"}), {"run.directory", "'#'"});
  expect_parts(refusal(smallest, {"group.a[b].radius=1"}), {"group name", "group.a[b]"});
  EXPECT_NE(refusal(""), "");
}

TEST(Restart, WhatMayChange) {
  auto const old = Deck::from_text(smallest, "checkpoint");
  for (auto const* o : {"run.steps=200", "run.directory=x", "run.log_every=1", "run.validate_every=5", "run.blas_threads=2",
                        "data.train=elsewhere/a.txt", "data.validation=v", "checkpoint.every=3", "checkpoint.keep=1"})
    EXPECT_TRUE(deck_of(smallest, {o}).disagreements(old).empty()) << o;
  EXPECT_TRUE(deck_of(smallest, {"optimizer.beta=0.100", "group.all.beta=0.1"}).disagreements(old).empty())
      << "values count, not how they are written";
}

TEST(Restart, WhatMustNotNamesBothValues) {
  auto const old = Deck::from_text(smallest, "checkpoint");
  auto const lines = deck_of(smallest, {"run.seed=2", "optimizer.beta=0.2", "group.all.radius=1"}).disagreements(old);
  ASSERT_EQ(lines.size(), 4u) << "seed, beta, the group's radius and the beta that it inherits";
  expect_parts(lines[0], {"run.seed", "'2' on the command line", "'1' by default in checkpoint"});
  expect_parts(lines[1], {"optimizer.beta", "'0.2' on the command line", "'0.1' by default in checkpoint"});
  expect_parts(lines[2], {"group.all.radius", "'1' on the command line", "'0.02' in checkpoint:11"});
  expect_parts(lines[3], {"group.all.beta", "'0.2' on the command line", "'0.1' by default"});
  for (auto const& key : schema()) {
    if (key.may_change || key.section == "group" || key.type != KeyType::integer) continue;
    auto const name = std::string(key.section) + "." + std::string(key.name);
    auto const changed =
        deck_of(smallest, {name + "=64", name == "model.heads" ? "model.width=128" : "model.heads=4"}).disagreements(old);
    ASSERT_EQ(changed.size(), 1u) << name;
    expect_parts(changed[0], {name, "'64' on the command line"});
  }
}

TEST(Restart, EachValueIsNamedWithItsOwnSource) {
  auto const stored = Deck::from_checkpoint(deck_of(smallest).resolved(), "step-60.h5");
  auto const linear = smallest + "[run]\nseed = 7\n";
  auto const from_file = deck_of(linear).disagreements(stored);
  ASSERT_EQ(from_file.size(), 1u);
  EXPECT_EQ(from_file[0], "run.seed: '7' in deck.ini:13, '1' in step-60.h5");
  auto const lines = Deck::from_checkpoint(deck_of(smallest).resolved(), "step-60.h5", {"run.seed=3"}).disagreements(stored);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "run.seed: '3' on the command line, '1' in step-60.h5");
}

TEST(Restart, StepsAreFixedWhereTheScheduleDependsOnThem) {
  for (auto const* s : {"linear", "inverse-sqrt", "inverse-three-quarters", "constant", "adaptive"}) {
    std::string const schedule = std::string("optimizer.schedule=") + s;
    auto const lines = deck_of(smallest, {schedule, "run.steps=200"}).disagreements(deck_of(smallest, {schedule}));
    bool const depends = std::string(s) != "constant" && std::string(s) != "adaptive";
    ASSERT_EQ(lines.size(), depends ? 1u : 0u) << s;
    if (depends) expect_parts(lines[0], {"run.steps", "'200'", "'100'", s});
  }
}

TEST(Restart, GroupsAndTheirOrder) {
  std::string const more = "[group.b]\nlayers = b\nradius = 1\n";
  EXPECT_EQ(deck_of(smallest + more).disagreements(deck_of(smallest)).size(), 1u);
  auto const head = smallest.substr(0, smallest.find("[group"));
  auto const lines = deck_of(head + more + smallest.substr(head.size())).disagreements(deck_of(smallest + more));
  ASSERT_EQ(lines.size(), 1u);
  expect_parts(lines[0], {"groups", "'b, all'", "'all, b'"});
}

}  // namespace
}  // namespace kaon::test
