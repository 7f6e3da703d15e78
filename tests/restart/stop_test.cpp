// Every way to stop: exit code 75, a committed checkpoint, and a continuation that is the run that never stopped.
#include "job.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace kaon::test {
namespace {

// Steps of some 10 ms, so that a signal sent at one step is served before the last.
Words const slow{"gpt.batch=48", "data.validation_batches=1", "gpt.context=32", "data.order=sequential"};

struct Stop {
  char const* name;
  int signal;
  int before, after;  ///< ranks
};
void PrintTo(Stop const& s, std::ostream* out) { *out << s.name; }

class StopTest : public ::testing::Test {
 protected:
  StopTest() : job(slow) { job.scratch().write("text.txt", some_text(100000)); }
  /// Waits for `step` and sends `signal` to one rank; false when the run had ended by then.
  bool send(Process& process, std::string const& name, int signal) {
    auto const ranks = ranks_in(job.folder(name));
    return !ranks.empty() && kill(ranks.back(), signal) == 0 && process.running();
  }
  /// The stopped run "parts" goes on to the end on `ranks` and is compared with a straight run.
  void goes_on(int ranks) {
    ASSERT_TRUE(ended(job.train("straight", 1), 0));
    ASSERT_TRUE(ended(job.train("parts", ranks, {"-r", "latest"}), 0, {"restarted from", "finished at step 12"}));
    EXPECT_TRUE(same_run(job, "straight", "parts"));
  }
  Job job;
};

class Signal : public StopTest, public ::testing::WithParamInterface<Stop> {};

TEST_P(Signal, ToAnyRankStopsWith75AndTheRunGoesOnExactly) {
  auto const& c = GetParam();
  Outcome o;
  for (int attempt = 0; attempt < 5 && o.code != 75; ++attempt) {  // a busy machine may serve the signal after the last step
    std::filesystem::remove_all(job.folder("parts"));
    auto const process = job.start("parts", c.before, 1 + static_cast<int>(getpid() % 5));
    send(*process, "parts", c.signal);
    o = process->wait();
    if (o.code == 0) continue;
    ASSERT_TRUE(ended(o, 75));
  }
  ASSERT_TRUE(ended(o, 75));
  int const done = job.steps_done("parts");
  EXPECT_TRUE(
      ended(o, 75, {std::string("signal ") + (c.name + 3) + " at step " + std::to_string(done) + ": saving and stopping"}));
  std::printf("signal %s to one of %d ranks: stopped after step %d of %d\n", c.name + 3, c.before, done, all_steps);
  EXPECT_LT(done, all_steps);
  EXPECT_TRUE(ended(job.scratch().ckpt({"verify", "parts/run/checkpoints/latest"}), 0, {"step " + std::to_string(done) + ","}));
  goes_on(c.after);
}

Stop const stops[] = {{"SIGUSR1", SIGUSR1, 2, 1}, {"SIGTERM", SIGTERM, 1, 3}, {"SIGINT", SIGINT, 3, 2}};
INSTANTIATE_TEST_SUITE_P(Restart, Signal, ::testing::ValuesIn(stops), [](auto const& p) { return p.param.name; });

bool handles(pid_t pid, int signal) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("SigCgt:", 0) == 0) return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1)) & 1;
  return false;
}

// MPICH takes USR1 for itself; a job without mpiexec then hangs in its next wait.
TEST_F(StopTest, ASignalInTheStartUpIsServedAfterTheFirstStep) {
  for (int const signal : {SIGUSR1, SIGTERM, SIGINT}) {
    Outcome o;
    for (int attempt = 0; attempt < 5 && o.out.find("at step 1:") == std::string::npos;
         ++attempt) {  // a busy machine may send it late
      std::filesystem::remove_all(job.folder("parts"));
      Process process(job.words(1, {}), job.folder("parts"));
      ASSERT_TRUE(wait_until([&] { return handles(process.pid(), signal) || !process.running(); }));
      kill(process.pid(), signal);
      o = process.wait();
      ASSERT_FALSE(o.timed_out) << o.all();
    }
    EXPECT_TRUE(ended(o, 75)) << signal;
    EXPECT_NE(o.all().find("at step 1: saving and stopping"), std::string::npos) << o.all();
  }
  goes_on(2);
}

TEST_F(StopTest, SignalUsr2SavesAndGoesOn) {
  bool saved = false;
  for (int attempt = 0; attempt < 5 && !saved; ++attempt) {
    std::filesystem::remove_all(job.folder("parts"));
    auto const process = job.start("parts", 2, 2, {"checkpoint.keep=9"});
    send(*process, "parts", SIGUSR2);
    auto const o = process->wait();
    ASSERT_TRUE(ended(o, 0, {"finished at step 12"}));
    saved = ended(o, 0, {"signal USR2 at step", ": saving\n"}) && job.scratch().has("parts/run/checkpoints/latest");
  }
  ASSERT_TRUE(saved);
  int files = 0;
  for (auto const& entry : std::filesystem::directory_iterator(job.folder("parts") + "/run/checkpoints"))
    files += !entry.is_symlink();
  EXPECT_EQ(files, 3) << "the start, the one that was asked for, and the end";
  ASSERT_TRUE(ended(job.train("straight", 1), 0));
  EXPECT_TRUE(same_run(job, "straight", "parts")) << "a save must not change the run";
}

TEST_F(StopTest, TheFileStopStopsOnceAndIsRemoved) {
  std::filesystem::create_directories(job.folder("parts") + "/run");
  job.scratch().write("parts/run/stop", "");
  ASSERT_TRUE(ended(job.train("parts", 2), 75));
  EXPECT_EQ(job.steps_done("parts"), 1);
  EXPECT_FALSE(job.scratch().has("parts/run/stop"));
  auto const summary = job.scratch().read("parts/run/summary.json");
  EXPECT_NE(summary.find("\"state\": \"stopped\""), std::string::npos) << summary;
  EXPECT_NE(summary.find("\"exit_code\": 75"), std::string::npos) << summary;
  goes_on(3);
}

TEST_F(StopTest, TheFileSaveSavesOnceGoesOnAndIsRemoved) {
  std::filesystem::create_directories(job.folder("parts") + "/run");
  job.scratch().write("parts/run/save", "");
  ASSERT_TRUE(ended(job.train("parts", 2), 0, {"file save at step 1: saving"}));
  EXPECT_FALSE(job.scratch().has("parts/run/save"));
  EXPECT_TRUE(job.scratch().has("parts/run/checkpoints/step-00000001.h5"));
  EXPECT_FALSE(job.scratch().has("parts/run/checkpoints/step-00000002.h5"));
  EXPECT_TRUE(ended(job.train("parts", 1, {"-r", "step-00000001.h5"}), 0, {"step 1 of 12"}));
  goes_on(1);
}

// A run of more steps than its time allows.
TEST_F(StopTest, TheWallClockStopsBeforeTheLimit) {
  Words const endless{"run.steps=1000000", "run.log_every=0", "-t", "1"};
  ASSERT_TRUE(ended(job.train("parts", 2, endless), 75, {"wall clock at step"}));
  int const first = job.steps_done("parts");
  EXPECT_GE(first, 1);
  auto again = endless;
  again.push_back("-r");
  ASSERT_TRUE(ended(job.train("parts", 1, again), 75, {"wall clock at step", "step " + std::to_string(first) + " of"}));
  int const steps = job.steps_done("parts");
  EXPECT_GT(steps, first);
  ASSERT_TRUE(ended(job.train("straight", 1, {"run.steps=" + std::to_string(steps)}), 0));
  EXPECT_TRUE(ended(job.scratch().ckpt({"diff", "straight/run/checkpoints/latest", "parts/run/checkpoints/latest"}), 0,
                    {"the states are the same, bit for bit"}));
}

TEST_F(StopTest, AKilledJobGoesOnFromItsLastPeriodicCheckpoint) {
  bool killed = false;
  for (int attempt = 0; attempt < 5 && !killed; ++attempt) {
    std::filesystem::remove_all(job.folder("parts"));
    auto const process = job.start("parts", 2, 5, {"checkpoint.every=2"});
    for (auto const pid : ranks_in(job.folder("parts"))) kill(pid, SIGKILL);
    auto const o = process->wait();
    ASSERT_FALSE(o.timed_out) << o.all();
    killed = o.code != 0 && job.steps_done("parts") < all_steps;
  }
  ASSERT_TRUE(killed);
  ASSERT_TRUE(wait_until([&] { return ranks_in(job.folder("parts")).empty(); }));
  EXPECT_TRUE(job.scratch().has("parts/run/checkpoints/step-00000004.h5"));
  // What a write that was cut short leaves behind.
  job.scratch().write("parts/run/checkpoints/step-00000099.h5.part", "half");
  ASSERT_TRUE(ended(job.train("straight", 1), 0));
  ASSERT_TRUE(ended(job.train("parts", 3, {"-r", "latest", "checkpoint.every=2"}), 0, {"removed the uncommitted file"}));
  EXPECT_TRUE(same_run(job, "straight", "parts"));
}

}  // namespace
}  // namespace kaon::test
