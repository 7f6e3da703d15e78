// kaon-bench: what it lists is what it runs; a wrong call writes nothing. Times are not tested anywhere.
#include "program.hpp"

#include <sstream>

namespace kaon::test {
namespace {

Outcome bench(Scratch const& s, Words arguments) {
  arguments.insert(arguments.begin(), KAON_BENCH);
  return run(arguments, s.path());
}

std::vector<std::string> lines(std::string const& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

TEST(Bench, ListsEveryFamilyAndRunsNothing) {
  Scratch const s;
  auto const o = bench(s, {"--list"});
  ASSERT_TRUE(ended(o, 0));
  for (auto const* family : {"polar/", "exact/", "select/", "quantize/", "lowrank/", "network/"})
    EXPECT_NE(o.out.find(std::string("\n") + family), std::string::npos) << family << o.all();
  EXPECT_EQ(o.out.find("repetitions"), std::string::npos);
  auto const few = bench(s, {"--list", "--filter", "^lowrank/"});
  ASSERT_TRUE(ended(few, 0));
  for (auto const& line : lines(few.out)) {
    if (line.rfind("  ", 0) != 0 && line.find('/') != std::string::npos) {
      EXPECT_EQ(line.rfind("lowrank/", 0), 0u) << line;
    }
  }
}

TEST(Bench, WritesEachFigureOnceOnTheScreenAndInTheFile) {
  Scratch const s;
  auto const o = bench(s, {"-f", "select/message|steps-to", "--csv", "rows.csv", "-n", "1", "-s", "0.001"});
  ASSERT_TRUE(ended(o, 0, {"select/message_natural ", "polar/steps-to-1e-3", "3 figures", "thread"}));
  auto const rows = lines(s.read("rows.csv"));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0], "name,figure,unit,required,stretch,verdict,detail");
  // What is counted does not depend on the machine: the message of 15 % of the entries is at least 15 times smaller.
  for (auto const& row : rows) {
    if (row.rfind("select/message_natural,", 0) == 0) {
      EXPECT_GE(std::stod(row.substr(row.find(',') + 1)), 15.0) << row;
    }
  }
}

TEST(Bench, TheFileTakesThePlaceOfFiguresOnly) {
  Scratch const s;
  s.write("metrics.csv", "step,loss\n1,2\n");
  Words const short_one{"-f", "polar/steps-to-1e-3", "-n", "1", "-s", "0.001", "--csv"};
  auto const to = [&](char const* name) {
    auto words = short_one;
    words.emplace_back(name);
    return bench(s, words);
  };
  EXPECT_TRUE(ended(to("metrics.csv"), 64, {"metrics.csv", "not overwritten"}));
  EXPECT_EQ(s.read("metrics.csv"), "step,loss\n1,2\n");
  ASSERT_TRUE(ended(to("rows.csv"), 0));
  auto const rows = s.read("rows.csv");
  EXPECT_TRUE(ended(to("rows.csv"), 0)) << "measured again";
  EXPECT_TRUE(ended(bench(s, {"-f", "nothing is called so", "--csv", "rows.csv"}), 64));
  EXPECT_EQ(s.read("rows.csv"), rows) << "what was not measured takes no place";
  EXPECT_TRUE(ended(to("/dev/null"), 64, {"no file"}));
}

TEST(Bench, TimesAKernelBesideItsFloor) {
  Scratch const s;
  auto const o = bench(s, {"-f", "^lowrank/rank5$", "--csv", "rows.csv", "-n", "3", "-s", "0.001"});
  ASSERT_TRUE(ended(o, 0, {"lowrank/rank5 ", " against ", "3 repetitions"}));
  auto const rows = lines(s.read("rows.csv"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_GT(std::stod(rows[1].substr(rows[1].find(',') + 1)), 0.0);
}

struct Wrong {
  std::string name;
  int code;
  Words arguments;
  std::vector<std::string> parts;
};
void PrintTo(Wrong const& w, std::ostream* out) { *out << w.name; }
class BenchUsage : public ::testing::TestWithParam<Wrong> {};

TEST_P(BenchUsage, NamesTheCause) {
  Scratch const s;
  EXPECT_TRUE(ended(bench(s, GetParam().arguments), GetParam().code, GetParam().parts));
  EXPECT_TRUE(s.snapshot().empty());
}

Wrong const wrongs[] = {
    {"UnknownOption", 64, {"--fliter", "x"}, {"kaon-bench", "fliter"}},
    {"NotARegularExpression", 64, {"--filter", "("}, {"--filter '('", "regular expression"}},
    {"FilterLeavesNothing", 64, {"--filter", "nosuchfigure"}, {"nosuchfigure", "--list"}},
    {"NoRepetitions", 64, {"-n", "0"}, {"--repetitions"}},
    {"NotANumber", 64, {"-n", "many"}, {"many"}},
    {"UnwritableFile", 74, {"--csv", "no/such/folder/rows.csv", "-f", "steps-to"}, {"no/such/folder/rows.csv"}},
    {"NoSuchPython",
     74,
     {"--python", "/no/such/python", "-f", "^polar/768x768/5-steps$", "-n", "1", "-s", "0.001"},
     {"/no/such/python", "--python"}},
};
INSTANTIATE_TEST_SUITE_P(Bench, BenchUsage, ::testing::ValuesIn(wrongs), [](auto const& p) { return p.param.name; });

}  // namespace
}  // namespace kaon::test
