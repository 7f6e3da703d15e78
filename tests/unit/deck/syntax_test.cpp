// What stands in a deck file: line ends, encodings, comments, quotes, and characters that look like others. A message names the
// line.
#include "sample.hpp"

#include <kaon/deck/characters.hpp>
#include <kaon/deck/slips.hpp>

#include <fmt/format.h>

namespace kaon::test {
namespace {

std::string replaced(std::string text, std::string const& from, std::string const& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

std::string with(std::string const& line) { return smallest + line + "\n"; }

std::string const run_in = "[run]\ndirectory = ";

TEST(Syntax, LineEnds) {
  EXPECT_EQ(deck_of(replaced(smallest, "\n", "\r\n")).resolved(), deck_of(smallest).resolved());
  EXPECT_EQ(deck_of(replaced(smallest, "steps = 100\n", "steps = 100\r\n")).resolved(), deck_of(smallest).resolved());
  EXPECT_EQ(deck_of(smallest.substr(0, smallest.size() - 1)).resolved(), deck_of(smallest).resolved());
  EXPECT_EQ(deck_of(smallest.substr(0, smallest.size() - 1) + "\r").resolved(), deck_of(smallest).resolved());
  expect_parts(refusal(replaced(smallest, "\n", "\r")), {"deck.ini:1:", "carriage return", "tr "});
  expect_parts(refusal(with("[run]\nseed = 3\rlog_every = 2")), {"deck.ini:13:", "carriage return"});
}

TEST(Syntax, Encodings) {
  using namespace std::string_literals;
  EXPECT_EQ(deck_of("\xEF\xBB\xBF" + smallest).resolved(), deck_of(smallest).resolved());
  std::string little, big;
  for (char const c : smallest) little += std::string{c, '\0'}, big += std::string{'\0', c};
  for (auto const& [text, name] : {std::pair{"\xFF\xFE"s + little, "UTF-16"},
                                   {"\xFE\xFF"s + big, "UTF-16"},
                                   {little, "UTF-16LE"},
                                   {big, "UTF-16BE"},
                                   {"\xFF\xFE\0\0"s + smallest, "UTF-32"}})
    expect_parts(refusal(text), {"deck.ini: ", name, "iconv -f "s + name});
  expect_parts(refusal(smallest + "# \0\n"s), {"deck.ini:12:", "NUL"});
}

TEST(Syntax, EveryMessageNamesItsLine) {
  expect_parts(refusal(with("just words")), {"deck.ini:12: 'just words'", "key = value"});
  expect_parts(refusal(with("raduis = 1")), {"deck.ini:12: unknown key group.all.raduis"});
  expect_parts(refusal(with("radius = 1")), {"deck.ini:12: group.all.radius is given twice, first in deck.ini:11"});
  expect_parts(refusal(with("[nonsense]")), {"deck.ini:12: unknown section [nonsense]"});
  expect_parts(refusal(with("= 3")), {"deck.ini:12: '= 3'"});
  expect_parts(refusal(with("[model]\nwidth = 130")), {"deck.ini:13: model.width = 130 is not a multiple"});
  EXPECT_EQ(deck_of(smallest).where("group.all.radius"), "deck.ini:11");
  EXPECT_EQ(deck_of(smallest, {"optimizer.beta=0.2"}).where("group.all.beta"), "command line");
  EXPECT_EQ(deck_of(smallest).where("run.seed"), "deck.ini");
}

TEST(Syntax, SectionsMayHaveBlanks) { EXPECT_EQ(deck_of(with("[ run ]\n\tseed=3")).integer("run.seed"), 3); }

TEST(Syntax, DottedKeysAreSections) {
  EXPECT_EQ(deck_of("run.seed = 3\n" + smallest).integer("run.seed"), 3);
  EXPECT_EQ(deck_of("group.b.layers = b\ngroup.b.radius = 1\n" + smallest).groups(), (std::vector<std::string>{"b", "all"}));
  expect_parts(refusal(with("b.radius = 1")), {"group.all.b.layers is missing"});
}

TEST(Syntax, OtherCommentsAreNoPartOfAValue) {
  for (auto const* comment : {"; results", "// results", ";results", "//results", "//"}) {
    expect_parts(refusal(with(run_in + "run " + comment)), {"deck.ini:13:", "run.directory", "a comment starts with #"});
    expect_parts(refusal(with("[data]\nvalidation = a " + std::string(comment))), {"data.validation", "starts with #"});
    expect_parts(refusal(replaced(smallest, "layers = *", "layers = * " + std::string(comment))),
                 {"deck.ini:10:", "group.all.layers", "starts with #"});
  }
  expect_parts(refusal(with("; radius = 3")), {"deck.ini:12:", "a comment starts with #"});
  expect_parts(refusal(with("// a remark")), {"deck.ini:12:", "a comment starts with #"});
  expect_parts(refusal(with("[run]\nseed = 3 ; three")), {"run.seed", "a comment starts with #"});
  EXPECT_EQ(deck_of(with(run_in + "run # results")).text("run.directory"), "run");
  EXPECT_EQ(deck_of(with(run_in + "a;b//c")).text("run.directory"), "a;b//c") << "no blank before it: a name";
  EXPECT_EQ(deck_of(with(run_in + "//scratch/run")).text("run.directory"), "//scratch/run");
}

TEST(Syntax, PathsAreNotExpanded) {
  for (auto const* path : {"~/run", "~", "~me/run"})
    expect_parts(refusal(with(run_in + path)), {"deck.ini:13:", "run.directory", "does not expand ~", "./~"});
  for (auto const* variable : {"${SCRATCH}", "$SCRATCH", "$_2"}) {
    std::string const v = variable;
    expect_parts(refusal(with(run_in + v + "/run")), {"does not expand " + v + ";", "command line"});
    expect_parts(refusal(replaced(smallest, "a.txt", "b.txt, /data/" + v)), {"data.train", "does not expand " + v + ";"});
    expect_parts(refusal(smallest, {"run.directory=a/" + v}), {"command line: run.directory", v});
  }
  expect_parts(refusal(replaced(smallest, "a.txt", "b.txt ~/c.txt")), {"data.train", "does not expand ~"});
  for (auto const* path : {"./~", "a~", "run$", "run$1", "a b~"})
    EXPECT_EQ(deck_of(with(run_in + path)).text("run.directory"), path);
}

TEST(Syntax, QuotesAroundAValueAreTakenOff) {
  EXPECT_EQ(deck_of(with(run_in + "\"my run\"")).text("run.directory"), "my run");
  EXPECT_EQ(deck_of(with(run_in + "'my run'")).text("run.directory"), "my run");
  EXPECT_EQ(deck_of(with(run_in + "my run")).text("run.directory"), "my run");
  EXPECT_EQ(deck_of(with(run_in + "q\"uo'te")).text("run.directory"), "q\"uo'te");
  EXPECT_EQ(deck_of(with("[run]\nprecision = \"double\"\nseed = '3'")).text("run.precision"), "double");
  for (auto const* open : {"\"my run", "'my run", "\"", "\"my\" run"})
    expect_parts(refusal(with(run_in + open)), {"quote", "closed"});
  expect_parts(refusal(with(run_in + "\"'a'\"")), {"quotes inside quotes"});
  expect_parts(refusal(replaced(smallest, "layers = *", "layers = 'a' 'b'")), {"group.all.layers", "single quotes"});
}

TEST(Syntax, OddCharactersAreNamed) {
  struct Case {
    char const *character, *name;
  };
  for (auto const& c : {Case{"\xC2\xA0", "no-break space (U+00A0)"}, Case{"\xE2\x80\xAF", "no-break space (U+202F)"},
                        Case{"\xA0", "no-break space (byte A0"}, Case{"\xE2\x80\x8B", "without width (U+200B)"},
                        Case{"\xEF\xBB\xBF", "byte order mark"}, Case{"\x0C", "control character (byte 0C)"}}) {
    expect_parts(refusal(with(std::string("scale") + c.character + "= muon")), {"deck.ini:12:", c.name, "anew"});
    expect_parts(refusal(with(std::string("scale = ") + c.character + "muon")), {"deck.ini:12:", "group.all.scale", c.name});
    expect_parts(refusal(with(run_in + "my" + c.character + "run")), {"deck.ini:13:", "run.directory", c.name});
    expect_parts(refusal(with(std::string("[r") + c.character + "un]")), {"deck.ini:12:", c.name});
    EXPECT_EQ(refusal(with(std::string("# ") + c.character)), "") << "in a comment " << c.name;
  }
  expect_parts(refusal(with("factor = \xE2\x88\x92"
                            "1")),
               {"typographic dash (U+2212)"});
  expect_parts(refusal(with("uplink = bits\xE2\x80\x93"
                            "4")),
               {"typographic dash (U+2013)"});
  expect_parts(refusal(with(run_in + "\xE2\x80\x9Crun\xE2\x80\x9D")), {"typographic quote (U+201C)"});
  expect_parts(refusal(with(run_in + "\x93run\x94")), {"typographic quote (byte 93"});
  for (auto const* name : {"W\xC3\xB6rter\xE2\x80\x93Liste", "o\xE2\x80\x99neill", "\xE6\x96\x87",
                           "gr\xFC\xDF"
                           "e"})
    EXPECT_EQ(deck_of(with(run_in + name)).text("run.directory"), name) << "letters of other languages are a path's own";
  EXPECT_EQ(deck_of(with("[group.\xC2\xBB"
                         "1\xC2\xAB]\nlayers = a\nradius = 1"))
                .groups()
                .back(),
            "\xC2\xBB"
            "1\xC2\xAB");
  expect_parts(refusal(with("[group.a\xC2\xA0]")), {"deck.ini:12:", "no-break space"});
  EXPECT_EQ(deck_of(with("[group.t\xFC]\nlayers = a\nradius = 1")).groups().back(), "t\xFC");
}

TEST(Syntax, ACheckpointsDeckCountsAsItStands) {
  std::string const old = smallest + run_in + "\"run\" ; results/${X}\n[group.b]\nlayers = a ; b\nradius = 1\n";
  EXPECT_NE(refusal(old), "");
  auto const deck = Deck::from_checkpoint(old, "step-1.h5");
  EXPECT_EQ(deck.text("run.directory"), "\"run\" ; results/${X}");
  EXPECT_EQ(deck.list("group.b.layers"), (std::vector<std::string>{"a", ";", "b"}));
  EXPECT_TRUE(Deck::from_checkpoint(deck.resolved(), "again").disagreements(deck).empty());
  EXPECT_EQ(Deck::from_checkpoint(old, "step-1.h5", {"run.directory=b"}).where("run.directory"), "command line");
  EXPECT_THROW(Deck::from_checkpoint(old, "step-1.h5", {"run.directory=~/b"}), UsageError) << "what is written now is checked";
}

TEST(Syntax, WordsOfTheFieldFindTheirKey) {
  expect_parts(refusal(smallest, {"optimizer.lr=0.1"}), {"unknown key optimizer.lr", "group.NAME.radius", "radius t"});
  expect_parts(refusal(with("learning-rate = 1")), {"deck.ini:12: unknown key group.all.learning-rate", "group.all.radius"});
  expect_parts(refusal(with("momentum = 0.9")), {"group.all.beta", "NEW gradient"});
  expect_parts(refusal(smallest, {"optimizer.momentum=0.9"}), {"group.NAME.beta"});
  expect_parts(refusal(smallest, {"train.batch_size=8"}), {"model.batch"});
  expect_parts(refusal(smallest, {"optimizer.wd=0.1"}), {"weight_decay"});
  expect_parts(refusal(smallest, {"model.n_embd=64"}), {"model.width"});
  expect_parts(refusal(smallest, {"run.max_iters=64"}), {"run.steps"});
}

}  // namespace
}  // namespace kaon::test
