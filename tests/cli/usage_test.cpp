// Command line and deck of kaon-train: exit code 64, messages that name the cure; --help, --version, -n and -c.
#include "program.hpp"

namespace kaon::test {
namespace {

TEST(Help, StandsOnStandardOutputAndNamesOptionsKeysAndExitCodes) {
  Scratch const s;
  auto const o = s.train({"--help"});
  EXPECT_TRUE(
      ended(o, 0, {"--restart", "--time", "75", "64", "65", "70", "74", "USR1", "[optimizer]", "workers", "[group.NAME]"}));
  EXPECT_EQ(o.err, "");
}

TEST(Help, VersionStandsOnStandardOutputWithHash) {
  Scratch const s;
  auto const o = s.train({"--version"});
  EXPECT_TRUE(ended(o, 0, {"(git "}));
  EXPECT_EQ(o.out.rfind("Kaon ", 0), 0u) << o.all();
  EXPECT_EQ(o.err, "");
}

struct Wrong {
  char const* name;
  Words arguments;
  std::vector<std::string> parts;
};
void PrintTo(Wrong const& w, std::ostream* out) { *out << w.name; }

class Usage : public ::testing::TestWithParam<Wrong> {};

TEST_P(Usage, Exits64NamesTheCauseAndWritesNothing) {
  Scratch const s;
  put_gpt(s);
  s.write("typo.deck", gpt_deck() + "raduis = 3\n");
  s.write("section.deck", gpt_deck() + "[optimiser]\nbeta = 0.2\n");
  s.write("nonsense.deck", gpt_deck() + "what is this\n");
  s.write("twice.deck", gpt_deck() + "radius = 0.1\n");
  s.write("empty.deck", "");
  s.write("unmatched.deck", gpt_deck().substr(0, gpt_deck().find("[group.table]")));
  s.write("no_groups.deck", gpt_deck().substr(0, gpt_deck().find("[group.hidden]")));
  s.write("no_workers.deck", std::string(gpt_deck()).replace(gpt_deck().find("workers = 2"), 11, ""));
  auto const before = s.snapshot();
  auto const o = s.train(GetParam().arguments);
  EXPECT_TRUE(ended(o, 64, GetParam().parts));
  EXPECT_EQ(s.snapshot(), before);
}

Wrong const wrongs[] = {
    {"NoArguments", {}, {"-i", "-r"}},
    {"UnknownLongOption", {"-i", "gpt.deck", "--restrat"}, {"--restrat", "--restart"}},
    {"UnknownShortOption", {"-i", "gpt.deck", "-x"}, {"-x", "--help"}},
    {"OptionWithoutValue", {"-i"}, {"input"}},
    {"OptionTwice", {"-i", "gpt.deck", "-i", "gpt.deck"}, {"input"}},
    {"ResolveAndCheck", {"-i", "gpt.deck", "-n", "-c"}, {"choose one"}},
    {"BareWord", {"gpt.deck"}, {"gpt.deck", "-i"}},
    {"BadDuration", {"-i", "gpt.deck", "-t", "1:99"}, {"1:99", "hh:mm:ss"}},
    {"ZeroDuration", {"-i", "gpt.deck", "-t", "0"}, {"more than zero"}},
    {"MissingDeck", {"-i", "none.deck"}, {"none.deck", "no such deck"}},
    {"EmptyDeck", {"-i", "empty.deck"}, {"empty.deck", "empty"}},
    {"UnknownKeyInDeck", {"-i", "typo.deck"}, {"typo.deck", "group.table.raduis", "group.table.radius"}},
    {"UnknownKeyOnCommandLine", {"-i", "gpt.deck", "run.stesp=4"}, {"command line", "run.stesp", "run.steps"}},
    {"UnknownSection", {"-i", "section.deck"}, {"optimiser", "optimizer"}},
    {"NoSyntax", {"-i", "nonsense.deck"}, {"nonsense.deck"}},
    {"KeyTwice", {"-i", "twice.deck"}, {"group.table.radius", "twice"}},
    {"NotANumber", {"-i", "gpt.deck", "run.steps=many"}, {"run.steps", "many", "an integer >= 0"}},
    {"OutOfRange", {"-i", "gpt.deck", "optimizer.beta=1.5"}, {"optimizer.beta", "1.5", "<= 1"}},
    {"NotAChoice", {"-i", "gpt.deck", "run.precision=half"}, {"run.precision", "half", "float, double"}},
    {"NotANumberAtAll", {"-i", "gpt.deck", "group.table.radius=nan"}, {"group.table.radius"}},
    {"RequiredKeyMissing", {"-i", "no_workers.deck"}, {"optimizer.workers is missing"}},
    {"NoGroups", {"-i", "no_groups.deck"}, {"[group.NAME]"}},
    {"LayerWithoutGroup", {"-i", "unmatched.deck"}, {"embed", "h0.attn.q"}},
    {"WidthAndHeads", {"-i", "gpt.deck", "gpt.heads=3"}, {"gpt.width = 16", "gpt.heads = 3"}},
    {"UnknownCompressor", {"-i", "gpt.deck", "group.table.uplink=tip:0.1"}, {"tip:0.1", "nothing is called 'tip'", "top:F"}},
    {"CompressorFraction", {"-i", "gpt.deck", "group.table.downlink=top:1.5"}, {"top:1.5", "(0, 1]"}},
    {"CompressorBits", {"-i", "gpt.deck", "group.table.downlink=bits:3"}, {"bits:3", "1, 2, 4"}},
    {"CompressorTail", {"-i", "gpt.deck", "group.table.uplink=bits:4+natural"}, {"bits:4+natural", "nothing can follow"}},
    {"UnknownNorm", {"-i", "gpt.deck", "group.table.norm=operator"}, {"group.table.norm", "operator", "spectral, max-abs"}},
    {"UnknownScale", {"-i", "gpt.deck", "group.hidden.scale=big"}, {"big", "muon"}},
    {"RowBlocks", {"-i", "gpt.deck", "group.hidden.row_blocks=5"}, {"row_blocks"}},
};
INSTANTIATE_TEST_SUITE_P(Train, Usage, ::testing::ValuesIn(wrongs), [](auto const& p) { return p.param.name; });

TEST(Resolve, PrintsADeckWithEveryKeyThatParsesToItself) {
  Scratch const s;
  put_gpt(s);
  auto const first = s.train({"-i", "gpt.deck", "-n", "run.seed=9", "-d", "elsewhere"});
  ASSERT_TRUE(ended(first, 0, {"seed = 9", "directory = elsewhere", "nesterov = no", "[group.hidden]", "polar_steps = 5"}));
  EXPECT_EQ(first.err, "");
  s.write("again.deck", first.out);
  auto const second = s.train({"-i", "again.deck", "-n"});
  ASSERT_TRUE(ended(second, 0));
  EXPECT_EQ(second.out, first.out);
  EXPECT_FALSE(s.has("run"));
  EXPECT_FALSE(s.has("elsewhere"));
}

TEST(Resolve, ADeckWithLiveValuesTrainsAsTheOneItCameFrom) {
  Scratch const s;
  put_gpt(s);
  s.write("again.deck", s.train({"-i", "gpt.deck", "-n"}).out);
  ASSERT_TRUE(ended(s.train({"-i", "gpt.deck", "-d", "a"}), 0));
  ASSERT_TRUE(ended(s.train({"-i", "again.deck", "-d", "b"}), 0));
  EXPECT_TRUE(ended(s.ckpt({"diff", "a/checkpoints/latest", "b/checkpoints/latest"}), 0, {"same, bit for bit"}));
}

TEST(Check, PrintsThePlanTrainsNothingAndWritesNothing) {
  Scratch const s;
  put_gpt(s);
  auto const before = s.snapshot();
  auto const o = s.train({"-i", "gpt.deck", "-c"});
  EXPECT_TRUE(ended(o, 0, {"h0.attn.q", "top:0.2", "nothing was trained"}));
  EXPECT_EQ(o.out.find("step 1/"), std::string::npos) << o.all();
  EXPECT_EQ(s.snapshot(), before);
}

TEST(Check, FindsWhatARunWouldFind) {
  Scratch const s;
  put_gpt(s);
  EXPECT_TRUE(ended(s.train({"-i", "gpt.deck", "-c", "data.train=none.txt"}), 65, {"none.txt"}));
  EXPECT_TRUE(ended(s.train({"-i", "gpt.deck", "-c", "group.table.uplink=bits:5"}), 64, {"bits:5"}));
}

TEST(UsageOnRanks, IsToldOnceByARunOnThreeRanks) {
  Scratch const s;
  put_gpt(s);
  auto const o = s.train({"-i", "gpt.deck", "group.table.uplink=tip:0.1"}, 3);
  ASSERT_TRUE(ended(o, 64, {"tip:0.1"}));
  auto const at = o.err.find("error:");
  EXPECT_EQ(o.err.find("error:", at + 1), std::string::npos) << o.all();
}

}  // namespace
}  // namespace kaon::test
