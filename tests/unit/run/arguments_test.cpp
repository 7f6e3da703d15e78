#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/run/start/arguments.hpp>
#include <kaon/run/start/kokkos_options.hpp>

namespace kaon::test {
namespace {

using Words = std::vector<std::string>;

std::string refusal(Words const& words) {
  return message_of<UsageError>([&] { parse_arguments(words); });
}

TEST(Arguments, Plain) {
  auto const a = parse_arguments(Words{"-i", "deck.ini", "run.steps=5", "-d", "out", "-t", "01:00:00", "group.a.radius=2"});
  EXPECT_EQ(a.deck, "deck.ini");
  EXPECT_FALSE(a.restart);
  EXPECT_EQ(a.time_limit, 3600.0);
  EXPECT_EQ(a.overrides, (Words{"run.steps=5", "group.a.radius=2", "run.directory=out"}));
  EXPECT_FALSE(a.show_deck || a.check || a.help || a.version);
}

TEST(Arguments, FromMain) {
  char const* argv[] = {"kaon-train", "--input=deck.ini", "-n", nullptr};
  auto const a = parse_arguments(3, argv);
  EXPECT_EQ(a.deck, "deck.ini");
  EXPECT_TRUE(a.show_deck);
  EXPECT_THROW(parse_arguments(1, argv), UsageError);
}

TEST(Arguments, RestartWithAndWithoutValue) {
  EXPECT_EQ(parse_arguments(Words{"-r"}).restart, "latest");
  EXPECT_EQ(parse_arguments(Words{"-r", "latest"}).restart, "latest");
  EXPECT_EQ(parse_arguments(Words{"-r", "a/step-1.h5"}).restart, "a/step-1.h5");
  EXPECT_EQ(parse_arguments(Words{"-ra.h5"}).restart, "a.h5");
  EXPECT_EQ(parse_arguments(Words{"--restart=a.h5"}).restart, "a.h5");
  EXPECT_EQ(parse_arguments(Words{"--restart", "a.h5"}).restart, "a.h5");
  EXPECT_EQ(parse_arguments(Words{"-r", "./run.a=b/x.h5"}).restart, "./run.a=b/x.h5") << "a path with an equals sign";
  auto const flag = parse_arguments(Words{"-r", "-i", "deck.ini"});
  EXPECT_EQ(flag.restart, "latest");
  EXPECT_EQ(flag.deck, "deck.ini");
  auto const next = parse_arguments(Words{"-r", "run.steps=7"});
  EXPECT_EQ(next.restart, "latest");
  EXPECT_EQ(next.overrides, Words{"run.steps=7"});
}

TEST(Arguments, KokkosOptionsPassThroughByTheirNameHere) {
  auto const a = parse_arguments(Words{"--kokkos-threads=2", "-i", "d", "--kokkos-device-id=0"});
  EXPECT_EQ(a.kokkos, (Words{kokkos_threads_option(2), "--kokkos-device-id=0"}));
  EXPECT_EQ(a.deck, "d");
  EXPECT_EQ(parse_arguments(Words{"-r", "--kokkos-threads=2"}).restart, "latest");
  EXPECT_THROW(parse_arguments(Words{"-i", "d", "--kokkos-anything"}), UsageError);
}

TEST(Arguments, HelpAndVersionNeedNoDeck) {
  EXPECT_TRUE(parse_arguments(Words{"--help"}).help);
  EXPECT_TRUE(parse_arguments(Words{"-h"}).help);
  EXPECT_TRUE(parse_arguments(Words{"--version"}).version);
}

TEST(Arguments, Switches) {
  EXPECT_TRUE(parse_arguments(Words{"-i", "d", "-c"}).check);
  EXPECT_TRUE(parse_arguments(Words{"-n", "-r"}).show_deck);
  expect_parts(refusal({"-i", "d", "-n", "-c"}), {"-n", "-c"});
}

TEST(Arguments, UnknownOptionsNameTheNearest) {
  expect_parts(refusal({"--restrat=x"}), {"--restrat", "nearest is --restart"});
  expect_parts(refusal({"-i", "d", "--dir=x"}), {"--dir", "nearest is"});
  expect_parts(refusal({"-i", "d", "--verison"}), {"nearest is --version"});
  expect_parts(refusal({"-i", "d", "-x"}), {"-x", "--help"});
  expect_parts(refusal({"-i", "d", "--override=a.b=c"}), {"--override"});
}

TEST(Arguments, WrongWords) {
  expect_parts(refusal({"deck.ini"}), {"'deck.ini'", "-i"});
  expect_parts(refusal({"-i", "d", "steps=5"}), {"'steps=5'", "section.key=value"});
  expect_parts(refusal({}), {"-i", "-r"});
  expect_parts(refusal({"-d", "x"}), {"-i", "-r"});
  expect_parts(refusal({"-i"}), {"input"});
  expect_parts(refusal({"-i", "a", "-i", "b"}), {"input", "more than once"});
  expect_parts(refusal({"-r", "a", "-r", "b"}), {"restart", "more than once"});
  expect_parts(refusal({"-i", "d", "-t", "soon"}), {"'soon'", "hh:mm:ss"});
  expect_parts(refusal({"-i", "d", "-t", "0"}), {"'0'"});
}

TEST(Arguments, HelpNamesOptionsExitCodesAndKeys) {
  expect_parts(help_text(), {"-i [ --input ]", "-r [ --restart ]", "-d [", "-t [", "-n [", "-c [", "--version", "75", "64",
                             "USR1", "[optimizer]", "workers", "[group.NAME]", "radius"});
}

}  // namespace
}  // namespace kaon::test
