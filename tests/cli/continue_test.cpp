// kaon-train -r: what it takes, what it refuses (65, with both values), what it falls back to. Never a silent fresh start.
#include "damage.hpp"
#include "program.hpp"

#include <filesystem>

namespace kaon::test {
namespace {

class Continue : public ::testing::Test {
 protected:
  Continue() { put_gpt(s); }
  /// Four steps, checkpoints at each of the last three.
  void begin() { ASSERT_TRUE(ended(train({"run.steps=4", "checkpoint.every=1", "checkpoint.keep=3"}), 0)); }
  Outcome train(Words more, int ranks = 1) {
    more.insert(more.begin(), {"-i", "gpt.deck"});
    return s.train(more, ranks);
  }
  /// The deck of begin(), six steps, and -r.
  Outcome again(Words more = {}, int ranks = 1) {
    more.insert(more.begin(), {"-r", "run.steps=6", "checkpoint.keep=9"});
    return train(more, ranks);
  }
  void refused(Words more, std::vector<std::string> parts) {
    begin();
    auto const before = s.snapshot("run");
    EXPECT_TRUE(ended(again(more), 65, parts));
    EXPECT_TRUE(ended(again(more, 2), 65, parts));
    EXPECT_EQ(s.snapshot("run"), before);
  }
  Scratch s;
};

TEST_F(Continue, GoesOnFromTheLatest) {
  begin();
  EXPECT_TRUE(ended(again(), 0, {"restarted from run/checkpoints/step-00000004.h5", "finished at step 6"}));
  EXPECT_EQ(std::filesystem::read_symlink(s / "run/checkpoints/latest"), "step-00000006.h5");
}

TEST_F(Continue, WithoutADeckTakesTheOneOfTheCheckpoint) {
  begin();
  EXPECT_TRUE(ended(s.train({"-r", "-d", "run", "run.steps=5"}), 0, {"step 4 of 5", "finished at step 5"}));
}

TEST_F(Continue, GoesOnFromANamedOlderFileAndCutsTheMetrics) {
  begin();
  EXPECT_TRUE(ended(train({"-r", "step-00000002.h5", "run.steps=3"}), 0, {"step 2 of 3"}));
  auto const metrics = s.read("run/metrics.csv");
  EXPECT_NE(metrics.find("\n3,"), std::string::npos);
  EXPECT_EQ(metrics.find("\n4,"), std::string::npos) << metrics;
}

TEST_F(Continue, AFinishedRunIsFinished) {
  begin();
  auto const before = s.read("run/checkpoints/step-00000004.h5");
  EXPECT_TRUE(ended(train({"-r", "run.steps=4"}), 0, {"finished at step 4"}));
  EXPECT_EQ(s.read("run/checkpoints/step-00000004.h5"), before);
}

TEST_F(Continue, WithoutACheckpointIsRefusedAndMakesNothing) {
  auto const before = s.snapshot();
  EXPECT_TRUE(ended(again(), 65, {"no committed checkpoint", "run/checkpoints"}));
  EXPECT_TRUE(ended(s.train({"-r"}), 65, {"no committed checkpoint"}));
  EXPECT_EQ(s.snapshot(), before);
}

// -r auto: what a job script says at every start.
TEST_F(Continue, AutoGoesOnWhereThereIsACheckpoint) {
  begin();
  Words const more{"-i", "gpt.deck", "-r", "auto", "run.steps=6"};
  EXPECT_TRUE(ended(s.train(more, 2), 0, {"restarted from run/checkpoints/step-00000004.h5", "finished at step 6"}));
  EXPECT_TRUE(ended(s.train({"-r", "auto", "-d", "run"}), 0, {"restarted from run/checkpoints/step-00000006.h5"}));
}

TEST_F(Continue, AutoBeginsWhileNothingIsCommittedAndSaysSo) {
  std::filesystem::create_directories(s / "run/checkpoints");
  s.write("run/checkpoints/step-00000000.h5.part", "a first save that was killed");
  s.write("run/metrics.csv", "step,lo");  // likewise
  EXPECT_TRUE(ended(train({"-r", "auto"}, 2), 0,
                    {"nothing is committed in run yet: the run begins", "removed the uncommitted file", "finished at step 3"}));
}

TEST_F(Continue, AutoNeverOverwritesARunWhoseCheckpointsAreGone) {
  begin();
  std::filesystem::remove_all(s / "run/checkpoints");
  auto const metrics = s.read("run/metrics.csv");
  EXPECT_TRUE(ended(train({"-r", "auto"}), 65, {"metrics.csv", "holds an earlier run"}));
  EXPECT_EQ(s.read("run/metrics.csv"), metrics);
}

TEST_F(Continue, AutoNeverBeginsWhereAllIsDamaged) {
  begin();
  for (char const* step : {"2", "3", "4"})
    damage(s / (std::string("run/checkpoints/step-0000000") + step + ".h5"), "/model/W/head");
  auto const before = s.snapshot("run");
  EXPECT_TRUE(ended(train({"-r", "auto"}, 2), 65, {"no usable checkpoint", "step-00000002.h5"}));
  EXPECT_EQ(s.snapshot("run"), before);
}

TEST_F(Continue, AutoWithoutADeckNeedsACheckpoint) {
  EXPECT_TRUE(ended(s.train({"-r", "auto", "-d", "run"}), 65, {"no committed checkpoint", "run/checkpoints"}));
}

TEST_F(Continue, AFileThatIsNotThereIsRefused) {
  begin();
  EXPECT_TRUE(ended(train({"-r", "step-00000009.h5"}), 65, {"step-00000009.h5", "run/checkpoints"}));
}

TEST_F(Continue, CheckAndResolveLookAndTouchNothing) {
  begin();
  s.write("run/checkpoints/step-00000005.h5.part", "another job is writing this");
  auto const before = s.snapshot("run");
  EXPECT_TRUE(ended(again({"-c"}), 0, {"step 4 of 6", "nothing was trained"}));
  EXPECT_TRUE(ended(s.train({"-r", "-d", "run", "-n"}), 0, {"steps = 4"}));
  EXPECT_EQ(s.snapshot("run"), before);
}

TEST_F(Continue, WhatAKilledJobLeftIsRemovedAndTold) {
  begin();
  s.write("run/checkpoints/step-00000005.h5.part", "half a file");
  EXPECT_TRUE(ended(again(), 0, {"removed the uncommitted file run/checkpoints/step-00000005.h5.part", "step 4 of 6"}));
  EXPECT_FALSE(s.has("run/checkpoints/step-00000005.h5.part"));
}

TEST_F(Continue, AnotherValueIsRefusedWithBoth) {
  refused({"optimizer.beta=0.25"}, {"optimizer.beta", "'0.25'", "'0.1'", "on the command line", "step-00000004.h5"});
}
TEST_F(Continue, AnotherCompressorIsRefusedWithBoth) {
  refused({"group.hidden.uplink=bits:4"}, {"group.hidden.uplink", "'bits:4'", "'top:0.2'"});
}
TEST_F(Continue, AnotherPrecisionIsRefusedWithBoth) {
  refused({"run.precision=double"}, {"run.precision", "'double'", "'float'"});
}
TEST_F(Continue, AnotherModelIsRefusedWithBoth) { refused({"gpt.width=32"}, {"gpt.width", "'32'", "'16'"}); }
TEST_F(Continue, OtherWorkersAreRefusedWithBoth) { refused({"optimizer.workers=3"}, {"optimizer.workers", "'3'", "'2'"}); }
TEST_F(Continue, OtherStepsUnderAScheduleAreRefused) {
  ASSERT_TRUE(ended(train({"optimizer.schedule=linear"}), 0));
  EXPECT_TRUE(ended(again({"optimizer.schedule=linear"}), 65, {"run.steps", "'6'", "'3'", "schedule linear"}));
}

TEST_F(Continue, ChangedDataAreRefused) {
  begin();
  s.write("text.txt", some_text(8192, 2));
  auto const before = s.snapshot("run");
  EXPECT_TRUE(ended(again(), 65, {"fingerprint", "same training and validation files"}));
  EXPECT_EQ(s.snapshot("run"), before);
}

TEST_F(Continue, TheSameDataUnderAnotherNameAreTaken) {
  begin();
  std::filesystem::rename(s / "text.txt", s / "moved.txt");
  EXPECT_TRUE(ended(again({"data.train=moved.txt"}), 0, {"step 4 of 6"}));
}

TEST_F(Continue, ADamagedLatestIsPassedOverWithAWarning) {
  begin();
  damage(s / "run/checkpoints/step-00000004.h5", "/ef21-muon/workers/M/head");
  auto const o = again({"checkpoint.every=1"}, 2);
  EXPECT_TRUE(ended(o, 0, {"step-00000004.h5 is passed over", "/ef21-muon/workers/M/head", "step 3 of 6", "finished at step 6"}));
  EXPECT_TRUE(ended(s.ckpt({"verify", "run/checkpoints/step-00000004.h5"}), 0)) << "step 4 is done and saved anew";
}

TEST_F(Continue, ATruncatedLatestIsPassedOverWithAWarning) {
  begin();
  std::filesystem::resize_file(s / "run/checkpoints/step-00000004.h5", 5000);
  EXPECT_TRUE(ended(again(), 0, {"step-00000004.h5 is passed over", "step 3 of 6"}));
}

TEST_F(Continue, AllDamagedIsRefusedAndEachIsNamed) {
  begin();
  for (char const* step : {"2", "3", "4"})
    damage(s / (std::string("run/checkpoints/step-0000000") + step + ".h5"), "/model/W/head");
  auto const before = s.snapshot("run");
  EXPECT_TRUE(ended(again(), 65, {"no usable checkpoint", "step-00000002.h5", "step-00000003.h5", "step-00000004.h5"}));
  EXPECT_EQ(s.snapshot("run"), before);
}

TEST_F(Continue, MetricsOfAnotherProgramAreRefused) {
  begin();
  s.write("run/metrics.csv", "x,y\n1,2\n");
  EXPECT_TRUE(ended(again(), 65, {"metrics.csv", "x,y"}));
  EXPECT_EQ(s.read("run/metrics.csv"), "x,y\n1,2\n");
}

}  // namespace
}  // namespace kaon::test
