// kaon-ckpt prune: what goes, what stays, and a job that runs meanwhile.
#include "damage.hpp"
#include "fixtures.hpp"

#include <csignal>

namespace kaon::test {
namespace {

namespace fs = std::filesystem;

class Prune : public ::testing::Test {
 protected:
  static std::string name(int step) { return folder::step_name(static_cast<std::uint64_t>(step)); }
  std::string path(int step) const { return s / ("run/checkpoints/" + name(step)); }
  /// A run folder with files of these steps, from 1 to 9; `latest` points at `latest`.
  void make(std::vector<int> const& steps, int latest) {
    if (!fs::exists(s / "made")) {
      put_least_squares(s);
      ASSERT_TRUE(
          ended(s.train({"-i", "squares.deck", "-d", "made", "run.steps=9", "checkpoint.every=1", "checkpoint.keep=20"}), 0));
    }
    fs::create_directories(s / "run/checkpoints");
    for (int step : steps) fs::copy_file(s / ("made/checkpoints/" + name(step)), path(step));
    fs::create_symlink(name(latest), s / "run/checkpoints/latest");
  }
  std::vector<int> steps() const {
    std::vector<int> all;
    for (auto step : folder::steps(s / "run/checkpoints")) all.push_back(static_cast<int>(step));
    return all;
  }
  /// The size of these files together, as the program writes it.
  std::string kib(std::vector<int> const& files) const {
    std::uintmax_t bytes = 0;
    for (int step : files) bytes += fs::file_size(path(step));
    char text[32];
    std::snprintf(text, sizeof text, "%.1f KiB", static_cast<double>(bytes) / 1024);
    return text;
  }
  Outcome prune(Words more) {
    more.insert(more.begin(), {"prune", "run"});
    return s.ckpt(more);
  }
  using Steps = std::vector<int>;
  Scratch s;
};

TEST_F(Prune, KeepsTheNewest) {
  make({1, 2, 3, 4, 5}, 5);
  std::string const freed = kib({1, 2, 3}), newest = kib({5});
  auto const o = prune({"--keep", "2"});
  EXPECT_TRUE(
      ended(o, 0,
            {"keep    step-00000005.h5", newest + "  latest, newest 2", "keep    step-00000004.h5", "delete  step-00000003.h5",
             "delete  step-00000001.h5", "run/checkpoints: 2 kept, 3 deleted, " + freed + " freed"}));
  EXPECT_EQ(steps(), (Steps{5, 4}));
  EXPECT_EQ(s.snapshot("run/checkpoints").size(), 3u) << "two files, latest, and no trash";
  EXPECT_TRUE(ended(s.ckpt({"verify", "run/checkpoints/latest"}), 0));
}

TEST_F(Prune, KeepsEveryMthForEver) {
  make({2, 3, 4, 6, 7, 8, 9}, 9);
  EXPECT_TRUE(ended(prune({"--keep", "1", "--every", "3"}), 0,
                    {"step-00000006.h5", kib({6}) + "  every 3", "latest, every 3, newest 1"}));
  EXPECT_EQ(steps(), (Steps{9, 6, 3}));
  EXPECT_TRUE(ended(prune({"--keep", "1", "--every", "3"}), 0, {"3 kept, 0 deleted, 0 B freed"}));
}

TEST_F(Prune, TakesTheCheckpointFolderItself) {
  make({1, 2}, 2);
  EXPECT_TRUE(ended(s.ckpt({"prune", "run/checkpoints", "--keep", "1"}), 0));
  EXPECT_EQ(steps(), (Steps{2}));
}

TEST_F(Prune, DryRunTouchesNothing) {
  make({1, 2, 3}, 3);
  s.write("run/checkpoints/step-00000004.h5.part", "half");
  auto const before = s.snapshot("run");
  EXPECT_TRUE(
      ended(prune({"--keep", "1", "--dry-run", "--leftovers"}), 0,
            {"delete  step-00000001.h5", "delete  step-00000004.h5.part", "1 kept, 2 would be deleted", "nothing was touched"}));
  EXPECT_EQ(s.snapshot("run"), before);
}

TEST_F(Prune, LeftoversGoOnlyWhenAsked) {
  make({1, 2}, 2);
  s.write("run/checkpoints/step-00000003.h5.part", "half");
  s.write("run/checkpoints/step-00000001.h5.trash", "old");
  s.write("run/checkpoints/notes.txt", "mine");
  EXPECT_TRUE(
      ended(prune({"--keep", "2"}), 0, {"left    step-00000003.h5.part", "left    step-00000001.h5.trash", "--leftovers"}));
  EXPECT_TRUE(s.has("run/checkpoints/step-00000003.h5.part"));
  EXPECT_TRUE(ended(prune({"--keep", "2", "--leftovers"}), 0, {"delete  step-00000003.h5.part", "2 kept, 0 deleted, 7 B freed"}));
  EXPECT_FALSE(s.has("run/checkpoints/step-00000003.h5.part"));
  EXPECT_FALSE(s.has("run/checkpoints/step-00000001.h5.trash"));
  EXPECT_TRUE(s.has("run/checkpoints/notes.txt"));
  EXPECT_EQ(steps(), (Steps{2, 1}));
}

// Files above latest: a job is about to make one the latest, or a restart from an older file passed them over.
TEST_F(Prune, NeverWhatLatestPointsAtNorWhatIsNewer) {
  make({1, 2, 3, 4, 5}, 3);
  EXPECT_TRUE(ended(prune({"--keep", "1"}), 0, {"newer than latest", "latest, newest 1"}));
  EXPECT_EQ(steps(), (Steps{5, 4, 3}));
}

TEST_F(Prune, WithoutALatestTheNewestStays) {
  make({1, 2, 3}, 9);
  EXPECT_TRUE(ended(prune({"--keep", "1"}), 0));
  EXPECT_EQ(steps(), (Steps{3}));
}

TEST_F(Prune, DamagedFilesDoNotCountAndStay) {
  make({1, 2, 3, 4}, 4);
  damage(path(4), "/ef21-muon/workers/M/x");
  damage(path(2), "/ef21-muon/workers/M/x");
  auto const o = prune({"--keep", "1"});
  EXPECT_TRUE(ended(o, 0, {"latest, damaged", "keep    step-00000003.h5", "/ef21-muon/workers/M/x"}));
  EXPECT_NE(o.err.find("step-00000004.h5 is not counted and not deleted"), std::string::npos) << o.all();
  EXPECT_EQ(steps(), (Steps{4, 3})) << "a sound one stays whatever latest points at";
}

TEST_F(Prune, NothingGoesWhereNothingIsSound) {
  make({1, 2}, 2);
  damage(path(1), "/ef21-muon/workers/M/x");
  damage(path(2), "/ef21-muon/workers/M/x");
  auto const before = s.snapshot("run");
  EXPECT_TRUE(ended(prune({"--keep", "1"}), 65, {"nothing is deleted"}));
  EXPECT_EQ(s.snapshot("run"), before);
}

TEST_F(Prune, AFolderWithoutCheckpointsIsBadInput) {
  EXPECT_TRUE(ended(prune({"--keep", "1"}), 65, {"no committed checkpoint in run"}));
  EXPECT_TRUE(ended(s.ckpt({"prune", ".", "--keep", "1"}), 65, {"no committed checkpoint"}));
}

// A restart from an older file commits steps again that are older than latest. Where that happens between prune's look and its
// deletion, the job's file stays, and with it what latest points at.
TEST_F(Prune, WhatAJobWritesMeanwhileStays) {
  for (char const* when : {"before", "after"}) {
    fs::remove_all(s / "run");
    make({1, 2, 3}, 3);
    Words words = ckpt_words({"prune", "run", "--keep", "1"});
    words.insert(words.begin(), {"/usr/bin/env", "LD_PRELOAD=" KAON_MEANWHILE, "KAON_MEANWHILE_FILE=" + name(1),
                                 std::string("KAON_MEANWHILE=") + when,
                                 "ASAN_OPTIONS=verify_asan_link_order=0"});  // a build with it wants to be loaded first
    auto const o = run(words, s.path());
    EXPECT_TRUE(
        ended(o, 0, {"delete  step-00000002.h5", "keep    step-00000001.h5", "a job has just written it", "2 kept, 1 deleted"}));
    EXPECT_EQ(s.read("run/checkpoints/latest"), "a job's file\n") << when;
    EXPECT_EQ(steps(), (Steps{3, 1})) << when;
    EXPECT_EQ(s.snapshot("run/checkpoints").size(), 3u) << when << ": no trash is left";
  }
}

TEST_F(Prune, WhatBestPointsAtStaysUnlessItIsSaid) {
  make({1, 2, 3, 4}, 4);
  folder::repoint(s / "run/checkpoints/best", name(2));
  EXPECT_TRUE(ended(prune({"--keep", "1"}), 0, {"keep    step-00000002.h5", "best"}));
  EXPECT_EQ(steps(), (Steps{4, 2}));
  EXPECT_TRUE(ended(prune({"--keep", "1", "--drop-best", "--dry-run"}), 0));
  EXPECT_EQ(folder::target_of(s / "run/checkpoints/best"), name(2));
  EXPECT_TRUE(ended(prune({"--keep", "1", "--drop-best"}), 0, {"delete  step-00000002.h5"}));
  EXPECT_EQ(folder::target_of(s / "run/checkpoints/best"), "") << "a link that leads nowhere";
}

TEST_F(Prune, WhatCannotBeAskedWhoseItIsStays) {
  make({1, 2, 3}, 3);
  fs::resize_file(path(1), 3000);
  EXPECT_TRUE(ended(prune({"--keep", "1"}), 0, {"keep    step-00000001.h5", "cannot be read"}));
  EXPECT_EQ(steps(), (Steps{3, 1}));
}

TEST_F(Prune, AJobThatRunsIsNotDisturbed) {
  put_least_squares(s);
  Process job(train_words(1, {"-i", "squares.deck", "-d", "run", "run.steps=1000000", "checkpoint.every=1", "checkpoint.keep=6"}),
              s.path());
  auto const committed = [&](std::size_t n) { return folder::steps(s / "run/checkpoints").size() >= n; };
  ASSERT_TRUE(wait_until([&] { return committed(3) || !job.running(); }));
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(ended(prune({"--keep", "1"}), 74, {"run is in use by kaon-train, process"}));
    EXPECT_TRUE(ended(prune({"--keep", "1", "--dry-run"}), 0));
    ASSERT_TRUE(job.running());
    ASSERT_TRUE(fs::exists(s / "run/checkpoints/latest")) << "latest points at a file that is gone";
  }
  s.write("run/stop", "");
  EXPECT_TRUE(ended(job.wait(), 75));
  EXPECT_TRUE(ended(s.ckpt({"verify", "run/checkpoints/latest"}), 0));
  EXPECT_TRUE(ended(s.train({"-r", "-d", "run", "-c"}), 0, {"restarted from"}));
}

}  // namespace
}  // namespace kaon::test
