// Right on any number of ranks: what one rank sees, all decide.
#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/run/stop/stop_rules.hpp>

#include <csignal>

namespace kaon::test {
namespace {

struct StopRulesTest : ::testing::Test {
  Scratch folder;
  Communicator ranks{MPI_COMM_WORLD};
  Captured out;
  Log log{0, out.file()};
  Signals signals;
  double time = 0;
  WallClock clock{100.0, [this] { return time; }};
  StopRules rules{ranks, signals, clock, log, folder.path()};
  int const last = ranks.size() - 1;

  void expect(bool save, bool stop, std::string const& reason) {
    auto const d = rules.decide();
    EXPECT_EQ(d.save, save) << reason;
    EXPECT_EQ(d.stop, stop) << reason;
    EXPECT_EQ(d.reason, reason);
  }
  void touch(std::string const& name) {
    if (ranks.rank() == 0) write(folder / name, "");
  }
  void on_last(int signal) {
    if (ranks.rank() == last) std::raise(signal);
  }
  bool there(std::string const& name) const { return std::filesystem::exists(folder / name); }
};

TEST_F(StopRulesTest, GoesOnByItself) {
  for (int i = 0; i < 3; ++i) expect(false, false, "");
}

TEST_F(StopRulesTest, ASignalOnAnyRank) {
  on_last(SIGUSR1);
  expect(true, true, "signal USR1");
  expect(false, false, "");
  on_last(SIGTERM);
  expect(true, true, "signal TERM");
  on_last(SIGXCPU);
  expect(true, true, "signal XCPU");
  on_last(SIGUSR2);
  expect(true, false, "signal USR2");
  expect(false, false, "");
}

TEST_F(StopRulesTest, TheClockOfAnyRank) {
  if (ranks.rank() == last) time = 99;
  expect(true, true, "wall clock");
  expect(true, true, "wall clock");
}

TEST_F(StopRulesTest, FilesAreSeenByRankZeroAndRemovedAfterActing) {
  touch("save");
  expect(true, false, "file save");
  EXPECT_EQ(there("save"), ranks.rank() == 0);
  expect(true, false, "file save");
  rules.acted();
  EXPECT_FALSE(there("save"));
  expect(false, false, "");
  touch("stop");
  expect(true, true, "file stop");
  rules.acted();
  EXPECT_FALSE(there("stop"));
  EXPECT_EQ(out.text(), "");
}

TEST_F(StopRulesTest, FilesThatCameAfterTheDecisionStay) {
  touch("save");
  expect(true, false, "file save");
  touch("stop");
  rules.acted();
  EXPECT_FALSE(there("save"));
  EXPECT_EQ(there("stop"), ranks.rank() == 0) << "nobody has acted on it yet";
  expect(true, true, "file stop");
}

TEST_F(StopRulesTest, RankZeroSaysForAllThatACheckpointIsDue) {
  bool due = false;
  rules.ask([&] { return due; }, {});
  EXPECT_FALSE(rules.decide().due);
  due = ranks.rank() == 0;
  auto const d = rules.decide();
  EXPECT_TRUE(d.due);
  EXPECT_FALSE(d.save || d.stop);
  EXPECT_EQ(d.reason, "");
  due = ranks.rank() == last && last > 0;
  EXPECT_FALSE(rules.decide().due) << "other ranks' clocks do not count";
  due = true;
  on_last(SIGUSR1);
  auto const both = rules.decide();
  EXPECT_TRUE(both.due && both.stop);
  EXPECT_EQ(both.reason, "signal USR1");
}

TEST_F(StopRulesTest, WrittenMeansOnEveryRank) {
  bool done = false;
  rules.ask({}, [&] { return done; });
  EXPECT_FALSE(rules.decide().written);
  done = ranks.rank() != last;
  EXPECT_FALSE(rules.decide().written);
  done = true;
  auto const d = rules.decide();
  EXPECT_TRUE(d.written);
  EXPECT_FALSE(d.save || d.stop || d.due);
}

TEST_F(StopRulesTest, OtherFilesMeanNothing) {
  touch("stopped");
  touch("save.txt");
  expect(false, false, "");
}

TEST_F(StopRulesTest, TheStrongestReasonWinsAndServesTheOthers) {
  touch("save");
  touch("stop");
  if (ranks.rank() == 0) std::raise(SIGUSR2);
  on_last(SIGTERM);
  time = 99;
  expect(true, true, "signal TERM");
  rules.acted();
  EXPECT_FALSE(there("save") || there("stop"));
  expect(true, true, "wall clock");
  time = 0;
  expect(false, false, "");
}

TEST_F(StopRulesTest, StopOutweighsSave) {
  touch("stop");
  on_last(SIGUSR2);
  expect(true, true, "file stop");
  EXPECT_FALSE(signals.pending().save) << "served by the save that stopping makes";
}

TEST_F(StopRulesTest, AFileThatCannotBeRemovedIsWarnedAbout) {
  if (ranks.rank() == 0) std::filesystem::create_directory(folder / "stop");
  expect(true, true, "file stop");
  rules.acted();
  if (ranks.rank() == 0) expect_parts(out.text(), {"warning", folder / "stop", "by hand"});
}

}  // namespace
}  // namespace kaon::test
