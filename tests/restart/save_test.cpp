// When and how a run saves changes nothing about what it computes; what stays in the folder is what the deck says.
#include "job.hpp"

#include <kaon/checkpoint/reader.hpp>

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <sstream>

namespace kaon::test {
namespace {

namespace fs = std::filesystem;

std::string in_checkpoints(std::string const& job, std::string const& name) { return job + "/run/checkpoints/" + name; }

std::vector<std::string> files_of(Job const& job, std::string const& name) {
  std::vector<std::string> names;
  for (auto const& entry : fs::directory_iterator(job.scratch() / in_checkpoints(name, "")))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string link(Job const& job, std::string const& name, char const* which) {
  std::error_code ignored;
  return fs::read_symlink(job.scratch() / in_checkpoints(name, which), ignored).string();
}

TEST(Intervals, OtherOnesEndInTheSameBits) {
  Job const job;
  ASSERT_TRUE(ended(job.train("straight", 1), 0));
  struct {
    char const* name;
    int ranks;
    Words settings;
  } const cases[] = {
      {"steps", 2, {"checkpoint.every=1"}},
      {"minutes", 1, {"checkpoint.minutes=1e-9"}},
      {"cost", 3, {"checkpoint.mtbf=1e-9"}},
      {"all", 2, {"checkpoint.every=5", "checkpoint.minutes=1e-5", "checkpoint.mtbf=24"}},
      {"beside", 2, {"checkpoint.every=2", "checkpoint.asynchronous=yes"}},
      {"beside-always", 3, {"checkpoint.minutes=1e-9", "checkpoint.asynchronous=yes", "checkpoint.keep_every=5"}},
  };
  for (auto const& c : cases) {
    ASSERT_TRUE(ended(job.train(c.name, c.ranks, c.settings), 0)) << c.name;
    EXPECT_TRUE(same_run(job, "straight", c.name)) << c.name;
  }
}

TEST(Intervals, TimeIsAgreedByAllRanksAndTold) {
  Job const job;
  // So short an interval is over at every step, on rank 0: all ranks save at all of them.
  auto const o = job.train("run", 3, {"checkpoint.minutes=1e-9", "checkpoint.keep=99"});
  ASSERT_TRUE(ended(o, 0, {"next checkpoint in about 0.0 s (save cost"}));
  EXPECT_EQ(files_of(job, "run").size(), static_cast<std::size_t>(all_steps) + 2) << "and the start, and the link";
  auto const cost = job.train("cost", 2, {"checkpoint.mtbf=24"});
  EXPECT_TRUE(ended(cost, 0, {"next checkpoint in about", "a guess until one is measured"}));
  EXPECT_EQ(files_of(job, "cost").size(), 3u) << "none is due between the start and the end";
}

TEST(Beside, EveryFileHasTheBitsOfOneWrittenAtOnce) {
  Job const job;
  Words const often{"checkpoint.every=3", "checkpoint.keep=99"};
  ASSERT_TRUE(ended(job.train("at-once", 1, often), 0));
  for (int ranks = 1; ranks <= 4; ++ranks) {
    auto const name = std::to_string(ranks);
    auto more = often;
    more.push_back("checkpoint.asynchronous=yes");
    ASSERT_TRUE(ended(job.train(name, ranks, more), 0, {"written beside the training, from a copy of", "beside the training\n"}));
    for (char const* file : {"step-00000003.h5", "step-00000006.h5", "step-00000009.h5", "step-00000012.h5"}) {
      EXPECT_TRUE(ended(job.scratch().ckpt({"diff", in_checkpoints("at-once", file), in_checkpoints(name, file)}), 0,
                        {"the states are the same, bit for bit"}))
          << ranks << " ranks, " << file;
      EXPECT_TRUE(ended(job.scratch().ckpt({"verify", in_checkpoints(name, file)}), 0));
    }
  }
}

// The deck of a checkpoint is known only when MPI has started already.
TEST(Beside, ARestartGoesOnWritingBeside) {
  Job const job;
  ASSERT_TRUE(ended(job.train("straight", 1), 0));
  ASSERT_TRUE(ended(job.train("parts", 2, {"run.steps=6", "checkpoint.every=2", "checkpoint.asynchronous=auto"}), 0));
  auto const o = run(train_words(3, {"-r", "latest", "-d", "run", "run.steps=12"}), job.folder("parts"));
  ASSERT_TRUE(ended(o, 0, {"periodic checkpoints are written beside the training", "restarted from"}));
  EXPECT_TRUE(same_run(job, "straight", "parts"));
}

TEST(Beside, AJobKilledWhileItWritesGoesOnFromTheFileBefore) {
  Job const job({"gpt.width=128", "gpt.heads=2"});
  bool in_the_middle = false;
  for (int attempt = 0; attempt < 10 && !in_the_middle; ++attempt) {
    fs::remove_all(job.folder("parts"));
    auto const process = job.start("parts", 2, 3, {"checkpoint.every=1", "checkpoint.asynchronous=yes"});
    auto const half = [&] {
      for (auto const& name : files_of(job, "parts"))
        if (name.find(".part") != std::string::npos) return name;
      return std::string();
    };
    wait_until([&] { return !half().empty() || !process->running(); });
    for (auto const pid : ranks_in(job.folder("parts"))) kill(pid, SIGKILL);
    ASSERT_FALSE(process->wait().timed_out);
    ASSERT_TRUE(wait_until([&] { return ranks_in(job.folder("parts")).empty(); }));
    in_the_middle = !half().empty() && !link(job, "parts", "latest").empty();
    if (in_the_middle)
      std::printf("killed in the middle of %s, latest is %s\n", half().c_str(), link(job, "parts", "latest").c_str());
  }
  ASSERT_TRUE(in_the_middle) << "in ten attempts no kill hit a write";
  ASSERT_TRUE(ended(job.scratch().ckpt({"verify", in_checkpoints("parts", "latest")}), 0));
  ASSERT_TRUE(ended(job.train("straight", 1), 0));
  ASSERT_TRUE(ended(job.train("parts", 3, {"-r", "latest"}), 0, {"removed the uncommitted file", "restarted from"}));
  EXPECT_TRUE(same_run(job, "straight", "parts"));
}

TEST(Retention, EverySoManiethStaysBesidesTheNewest) {
  Job const job;
  ASSERT_TRUE(ended(job.train("run", 2, {"checkpoint.every=1", "checkpoint.keep=2", "checkpoint.keep_every=4"}), 0));
  EXPECT_EQ(files_of(job, "run"),
            (Words{"latest", "step-00000004.h5", "step-00000008.h5", "step-00000011.h5", "step-00000012.h5"}));
}

/// Step of the smallest loss of validation.csv; the first one of equals.
std::uint64_t best_step(std::string const& csv) {
  std::istringstream in(csv);
  std::string line;
  std::getline(in, line);
  double least = std::numeric_limits<double>::max();
  std::uint64_t step = 0;
  while (std::getline(in, line)) {
    double const loss = std::stod(line.substr(line.find(',') + 1));
    if (loss < least) least = loss, step = std::stoull(line);
  }
  return step;
}

class Best : public ::testing::Test {
 protected:
  // A radius at which the loss falls and rises again.
  Words const wild{"group.hidden.radius=0.3", "group.table.radius=0.3", "run.validate_every=1", "checkpoint.keep_best=yes"};
  /// The file that `best` points at is there, sound, of the best step, and the only one besides the newest.
  void expect_best(Job const& job, std::string const& name) {
    auto const step = best_step(job.scratch().read(name + "/run/validation.csv"));
    std::printf("%s: best validation at step %d\n", name.c_str(), static_cast<int>(step));
    char file[32];
    std::snprintf(file, sizeof file, "step-%08d.h5", static_cast<int>(step));
    EXPECT_EQ(link(job, name, "best"), file);
    EXPECT_TRUE(ended(job.scratch().ckpt({"verify", in_checkpoints(name, "best")}), 0, {"step " + std::to_string(step) + ","}));
    EXPECT_EQ(files_of(job, name).size(), step == all_steps ? 3u : 4u);
  }
};

TEST_F(Best, IsKeptAcrossRestartsAndRanks) {
  Job const job(wild);
  Words const keep{"checkpoint.keep=1"};
  ASSERT_TRUE(ended(job.train("straight", 1, keep), 0, {"the best validation so far"}));
  expect_best(job, "straight");
  EXPECT_LT(best_step(job.scratch().read("straight/run/validation.csv")), static_cast<std::uint64_t>(all_steps))
      << "a run whose last step is the best one tests less";
  ASSERT_TRUE(ended(job.train("parts", 3, {"checkpoint.keep=1", "run.steps=7"}), 0));
  ASSERT_TRUE(ended(job.train("parts", 2, {"checkpoint.keep=1", "-r", "latest", "checkpoint.asynchronous=yes"}), 0));
  expect_best(job, "parts");
  EXPECT_EQ(link(job, "parts", "best"), link(job, "straight", "best"));
  EXPECT_TRUE(same_run(job, "straight", "parts"));
}

TEST_F(Best, WithoutItsFileTheSearchBeginsAnewAndALostLinkIsMended) {
  Job const job(wild);
  ASSERT_TRUE(ended(job.train("parts", 1, {"run.steps=7"}), 0));
  auto const best = link(job, "parts", "best");
  fs::remove(job.scratch() / in_checkpoints("parts", "best"));
  ASSERT_TRUE(ended(job.train("parts", 1, {"-r", "latest", "run.steps=7"}), 0));
  EXPECT_EQ(link(job, "parts", "best"), best);
  ASSERT_NE(best, "step-00000007.h5");
  fs::remove(job.scratch() / in_checkpoints("parts", best));
  EXPECT_TRUE(ended(job.train("parts", 2, {"-r", "latest"}), 0, {"has no checkpoint here: the search begins anew"}));
  EXPECT_TRUE(fs::exists(job.scratch() / in_checkpoints("parts", "best")));
}

TEST_F(Best, NeedsAValidationLoss) {
  Job const job({"data.validation_fraction=0", "checkpoint.keep_best=yes"});
  EXPECT_TRUE(ended(job.train("run", 1), 64, {"checkpoint.keep_best", "validation"}));
}

class OnFailure : public ::testing::Test {
 protected:
  OnFailure() {
    EXPECT_TRUE(ended(job.train("parts", 1, {"run.steps=2"}), 0));
    fs::create_directories(job.scratch() / in_checkpoints("parts", "step-00000004.h5/in the way"));
  }
  Job job;
  Words again(Words more) {
    more.insert(more.begin(), {"-r", "latest", "checkpoint.every=2", "checkpoint.keep=9"});
    return more;
  }
};

TEST_F(OnFailure, StopEndsTheRunWith74) {
  for (char const* beside : {"no", "yes"}) {
    auto const o = job.train("parts", 2, again({std::string("checkpoint.asynchronous=") + beside}));
    EXPECT_TRUE(ended(o, 74, {"step-00000004.h5", "irectory"})) << beside;
    EXPECT_EQ(link(job, "parts", "latest"), "step-00000002.h5");
  }
}

TEST_F(OnFailure, ContinueWarnsAndTheNextOneIsWritten) {
  ASSERT_TRUE(ended(job.train("straight", 1), 0));
  for (char const* beside : {"no", "yes"}) {
    auto const o =
        job.train("parts", 2, again({"checkpoint.on_failure=continue", std::string("checkpoint.asynchronous=") + beside}));
    ASSERT_TRUE(ended(o, 0)) << beside;
    EXPECT_NE(o.all().find("the run goes on without this checkpoint"), std::string::npos) << o.all();
    EXPECT_TRUE(same_run(job, "straight", "parts")) << beside;
    EXPECT_TRUE(job.scratch().has(in_checkpoints("parts", "step-00000006.h5")));
    // Back to step 2 for the next round.
    fs::remove(job.scratch() / in_checkpoints("parts", "latest"));
    fs::create_symlink("step-00000002.h5", job.scratch() / in_checkpoints("parts", "latest"));
  }
}

TEST_F(OnFailure, TheLastCheckpointOfARunIsNeverGoneWithout) {
  auto const o = job.train("parts", 2, again({"checkpoint.on_failure=continue", "run.steps=4"}));
  EXPECT_TRUE(ended(o, 74, {"step-00000004.h5"}));
  EXPECT_EQ(link(job, "parts", "latest"), "step-00000002.h5");
}

}  // namespace
}  // namespace kaon::test
