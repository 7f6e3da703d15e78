// Rounds of local steps: a run goes on from anywhere in one, on other ranks, to the same bits.
#include "job.hpp"

#include <filesystem>

namespace kaon::test {
namespace {

struct Case {
  char const* name;
  Words settings;
  int straight, before, after;  ///< ranks of the straight run, and on either side of the cut
};
void PrintTo(Case const& c, std::ostream* out) { *out << c.name; }

std::string checkpoint(int step) {
  auto const number = std::to_string(step);
  return "run/checkpoints/step-" + std::string(8 - number.size(), '0') + number + ".h5";
}

class LocalSteps : public ::testing::TestWithParam<Case> {};

// Rounds of 5 in a run of 12 steps. It is taken back to each step of a round, and to both of the last one, which is shorter.
TEST_P(LocalSteps, GoOnFromEveryStepOfARound) {
  auto const& c = GetParam();
  auto settings = c.settings;
  settings.insert(settings.end(), {"optimizer.local_steps=5", "checkpoint.keep=12", "run.log_every=3", "run.validate_every=4"});
  Job const job(settings);
  ASSERT_TRUE(ended(job.train("straight", c.straight), 0));
  ASSERT_TRUE(ended(job.train("parts", c.before, {"checkpoint.every=1"}), 0));
  EXPECT_TRUE(same_run(job, "straight", "parts"));
  for (int const step : {11, 8, 5, 1}) {
    ASSERT_TRUE(ended(job.train("parts", c.after, {"-r", checkpoint(step)}), 0, {"finished at step 12"})) << step;
    EXPECT_TRUE(same_run(job, "straight", "parts")) << "from step " << step;
  }
}

Case const cases[] = {
    {"Nesterov", {"optimizer.outer=nesterov", "optimizer.outer_rate=0.7", "optimizer.nesterov=yes"}, 1, 2, 3},
    {"Gradients", {"optimizer.local_form=gradient", "group.hidden.downlink=natural:stochastic"}, 2, 1, 3},
    {"AdamWForTables", {"group.table.method=adamw", "group.table.uplink=bits:4", "group.table.feedback=ef14"}, 2, 3, 1},
    {"SharedWorker", {"optimizer.workers=1", "gpt.micro_batches=2", "group.hidden.uplink=identity"}, 1, 2, 2},
};
INSTANTIATE_TEST_SUITE_P(Restart, LocalSteps, ::testing::ValuesIn(cases), [](auto const& p) { return p.param.name; });

TEST(LocalStepsOfARun, EndWithTheRunAndAreNotMadeLonger) {
  Job const job({"optimizer.local_steps=5"});
  ASSERT_TRUE(ended(job.train("run7", 1, {"run.steps=7"}), 0, {"finished at step 7"}));
  EXPECT_TRUE(ended(job.train("run7", 1, {"-r"}), 65, {"a round of local steps that is shorter", "optimizer.init"}));
  ASSERT_TRUE(ended(job.train("run10", 1, {"run.steps=10"}), 0));
  ASSERT_TRUE(ended(job.train("straight", 1), 0));
  ASSERT_TRUE(ended(job.train("run10", 2, {"-r"}), 0));
  EXPECT_TRUE(same_run(job, "straight", "run10"));
}

TEST(LocalStepsOfARun, AreResizedWhereARoundEnds) {
  Job const job({"optimizer.local_steps=5", "checkpoint.every=1", "checkpoint.keep=12"});
  ASSERT_TRUE(ended(job.train("whole", 1), 0));
  auto const resized = [&](int step) {
    return job.scratch().ckpt({"resize", "whole/" + checkpoint(step), "-w", "4", "-o", "of" + std::to_string(step) + ".h5"});
  };
  EXPECT_TRUE(ended(resized(7), 65, {"in the middle of a round of local steps", "/ef21-muon/workers/point/"}));
  ASSERT_TRUE(ended(resized(10), 0));
  EXPECT_TRUE(ended(job.train("more", 1, {"-r", "../of10.h5", "-d", "run", "optimizer.workers=4"}), 0, {"finished at step 12"}));
}

// A stop that comes in the middle of a round is served at its end.
TEST(LocalStepsOfARun, StopWhereARoundEnds) {
  Job const job({"optimizer.local_steps=5"});
  job.folder("parts");
  std::filesystem::create_directory(job.folder("parts") + "/run");
  job.scratch().write("parts/run/stop", "");
  ASSERT_TRUE(ended(job.train("parts", 2), 75, {"file stop at step 5: saving and stopping"}));
  EXPECT_EQ(job.steps_done("parts"), 5);
  ASSERT_TRUE(ended(job.train("straight", 1), 0));
  ASSERT_TRUE(ended(job.train("parts", 1, {"-r"}), 0));
  EXPECT_TRUE(same_run(job, "straight", "parts"));
}

TEST(LocalStepsOfARun, SayWhatCannotBe) {
  Job const job({"optimizer.local_steps=5"});
  EXPECT_TRUE(ended(job.train("a", 1, {"group.table.method=muon"}), 64, {"the method muon has no local steps"}));
  EXPECT_TRUE(
      ended(job.train("b", 1, {"optimizer.local_form=gradient", "optimizer.outer=lmo"}), 64, {"optimizer.local_form = update"}));
  EXPECT_TRUE(ended(job.train("c", 1, {"optimizer.outer_momentum=0.9", "-c"}), 0,
                    {"optimizer.outer_momentum has no effect: it needs optimizer.outer = nesterov"}));
  Job const without;
  EXPECT_TRUE(ended(without.train("d", 1, {"optimizer.outer_rate=0.9", "-c"}), 0,
                    {"optimizer.outer_rate has no effect: it needs optimizer.local_steps above 0"}));
}

}  // namespace
}  // namespace kaon::test
