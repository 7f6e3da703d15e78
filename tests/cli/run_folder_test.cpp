// Run folders: what stands there is never lost; a folder that cannot be written is exit code 74; a run that leaves the finite
// numbers is exit code 70 and leaves sound checkpoints only.
#include "program.hpp"

#include <kaon/objective/least_squares_problem.hpp>

#include <algorithm>
#include <filesystem>

namespace kaon::test {
namespace {

class RunFolder : public ::testing::Test {
 protected:
  RunFolder() { put_least_squares(s); }
  Outcome train(Words more = {}, int ranks = 1) {
    more.insert(more.begin(), {"-i", "squares.deck"});
    return s.train(more, ranks);
  }
  Scratch s;
};

TEST_F(RunFolder, AFinishedRunLeavesCheckpointLinkMetricsAndSummary) {
  ASSERT_TRUE(ended(train(), 0, {"finished at step 3"}));
  EXPECT_EQ(std::filesystem::read_symlink(s / "run/checkpoints/latest"), "step-00000003.h5");
  EXPECT_EQ(s.read("run/metrics.csv").rfind("step,loss,", 0), 0u);
  EXPECT_NE(s.read("run/summary.json").find("\"state\": \"finished\""), std::string::npos);
  EXPECT_NE(s.read("run/validation.csv").find("\n3,"), std::string::npos);
}

TEST_F(RunFolder, TheStartIsCommittedBeforeTheFirstStep) {
  ASSERT_TRUE(ended(train({"run.steps=1", "checkpoint.keep=9"}, 2), 0, {"saved run/checkpoints/step-00000000.h5"}));
  EXPECT_TRUE(ended(s.ckpt({"verify", "run/checkpoints/step-00000000.h5"}), 0, {"step 0,"}));
}

TEST_F(RunFolder, ARunThatCannotSaveEndsBeforeItsFirstStep) {
  std::filesystem::create_directories(s / "run/checkpoints/step-00000000.h5.part/in the way");
  EXPECT_TRUE(ended(train(), 74, {"step-00000000.h5.part"}));
  EXPECT_EQ(s.read("run/metrics.csv").find("\n1,"), std::string::npos);
}

TEST_F(RunFolder, ASecondRunWithoutRestartIsRefusedAndLosesNothing) {
  ASSERT_TRUE(ended(train(), 0));
  auto const before = s.snapshot("run");
  EXPECT_TRUE(ended(train(), 65, {"run", "holds an earlier run", "-r", "-d"}));
  EXPECT_EQ(s.snapshot("run"), before);
}

TEST_F(RunFolder, CheckpointsAloneAreAnEarlierRunToo) {
  ASSERT_TRUE(ended(train(), 0));
  for (char const* name : {"metrics.csv", "layers.csv", "validation.csv"})
    std::filesystem::remove(s / (std::string("run/") + name));
  auto const before = s.snapshot("run");
  EXPECT_TRUE(ended(train({"checkpoint.every=1", "checkpoint.keep=1"}), 65, {"holds an earlier run", "step 3"}));
  EXPECT_EQ(s.snapshot("run"), before);
}

TEST_F(RunFolder, MetricsAloneAreAnEarlierRunToo) {
  ASSERT_TRUE(ended(train(), 0));
  std::filesystem::remove_all(s / "run/checkpoints");
  auto const metrics = s.read("run/metrics.csv");
  EXPECT_TRUE(ended(train({}, 2), 65, {"metrics.csv", "holds an earlier run"}));
  EXPECT_EQ(s.read("run/metrics.csv"), metrics);
}

TEST_F(RunFolder, KeepKeepsTheNewest) {
  ASSERT_TRUE(ended(train({"run.steps=5", "checkpoint.every=1", "checkpoint.keep=2"}), 0));
  std::vector<std::string> names;
  for (auto const& entry : std::filesystem::directory_iterator(s / "run/checkpoints")) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"latest", "step-00000004.h5", "step-00000005.h5"}));
}

TEST_F(RunFolder, APathThroughAFileIsAnIoError) {
  s.write("file", "not a folder");
  EXPECT_TRUE(ended(train({"-d", "file/run"}), 74, {"file/run", "ot a directory"}));
  EXPECT_TRUE(ended(train({"-d", "file/run"}, 2), 74, {"file/run", "ot a directory"}));
  EXPECT_EQ(s.read("file"), "not a folder");
}

TEST_F(RunFolder, AFolderInPlaceOfTheMetricsIsAnIoError) {
  std::filesystem::create_directories(s / "run/metrics.csv/inside");
  EXPECT_TRUE(ended(train(), 74, {"metrics.csv"}));
}

TEST_F(RunFolder, AFileInPlaceOfTheCheckpointFolderIsAnIoError) {
  std::filesystem::create_directories(s / "run");
  s.write("run/checkpoints", "not a folder");
  EXPECT_TRUE(ended(train(), 74, {"run/checkpoints", "ot a directory"}));
}

TEST_F(RunFolder, AnInfiniteLossIsANumericalFailure) {
  for (int ranks : {1, 2}) {
    auto const folder = "run" + std::to_string(ranks);
    auto const o = train({"-d", folder, "run.precision=double", "group.all.radius=1e200", "run.steps=9"}, ranks);
    EXPECT_TRUE(ended(o, 70, {"not finite", "smaller radius"}));
    EXPECT_EQ(std::filesystem::read_symlink(s / (folder + "/checkpoints/latest")), "step-00000000.h5");
  }
}

TEST_F(RunFolder, AStateThatIsNotFiniteIsNeverCommitted) {
  ASSERT_TRUE(ended(train({"run.steps=2", "checkpoint.every=1"}), 0));
  auto const before = s.read("run/checkpoints/step-00000002.h5");
  // A step away from the largest numbers: legal by the deck, beyond the range with this starting point.
  LeastSquaresProblem p;
  p.workers = 2, p.samples = 4, p.rows = 3, p.cols = 2;
  p.A.assign(2 * 4 * 3, 2e-38), p.B.assign(2 * 4 * 2, 100), p.X0.assign(3 * 2, 3.2e38);
  write_problem(s / "far.h5", p);
  auto const first = train({"-d", "other", "run.steps=1", "run.log_every=0", "least-squares.problem=far.h5",
                            "group.all.norm=frobenius", "group.all.radius=1e38"});
  EXPECT_TRUE(ended(first, 70, {"/model/W/x", "not finite at step 1", "no checkpoint is written"}));
  EXPECT_FALSE(s.has("other/checkpoints/step-00000001.h5"));
  EXPECT_EQ(std::filesystem::read_symlink(s / "other/checkpoints/latest"), "step-00000000.h5") << "the start";
  EXPECT_EQ(s.read("run/checkpoints/step-00000002.h5"), before);
}

}  // namespace
}  // namespace kaon::test
