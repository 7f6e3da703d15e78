// The lock of a run folder: one program at a time, and no one is kept out by the dead.
#include "toy.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/lock.hpp>
#include <kaon/core/error.hpp>
#include <kaon/files/part.hpp>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace kaon;
using namespace kaon::test;

constexpr RunLock::Times quick{0.02, 0.3, 0};

struct Lock : ::testing::Test {
  Communicator comm{MPI_COMM_WORLD};
  TempFolder temp{comm};
  std::string path = temp / "lock";

  void SetUp() override {
    for (char const* name : {"SLURM_JOB_ID", "SLURM_RESTART_COUNT", "PBS_JOBID", "FLUX_JOB_ID", "LSB_JOBID"}) unsetenv(name);
  }
  std::string content() const { return files::read_all(path); }
  /// A lock of a process that this one cannot look at.
  Holder elsewhere() const {
    auto h = this_process("kaon-train");
    h.host = "node7", h.boot = "another", h.pid = 4711;
    return h;
  }
  void put(Holder const& h) const { files::replace(path, to_text(h)); }
  /// Tries until it is held; the notes, joined.
  std::string hold(RunLock& lock) const {
    std::string said;
    lock.hold([&](std::string const& note) { said += note + "\n"; });
    return said;
  }
  std::size_t names() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(temp.path()), fs::directory_iterator()));
  }
  /// A child that does `work` and dies without leaving in order.
  pid_t child(std::function<void()> const& work) const {
    pid_t const pid = fork();
    if (pid == 0) {
      work();
      kill(getpid(), SIGKILL);
    }
    return pid;
  }
};

TEST_F(Lock, OneHoldsAndTheOtherNamesIt) {
  RunLock one(temp.path(), "kaon-train", quick), other(temp.path(), "kaon-train", quick);
  EXPECT_FALSE(RunLock::look(temp.path()));
  ASSERT_TRUE(one.attempt());
  auto const say = message_of<IoError>([&] { other.attempt(); });
  for (auto const& part :
       {temp.path() + " is in use by kaon-train, process " + std::to_string(getpid()), path, std::string("-d")})
    EXPECT_SAYS(say, part);
  auto const look = RunLock::look(temp.path());
  ASSERT_TRUE(look);
  EXPECT_EQ(look->second.life, Life::alive);
  EXPECT_NO_THROW(one.require_held(true));
  one.release();
  EXPECT_EQ(names(), 0u);
  EXPECT_TRUE(other.attempt());
}

TEST_F(Lock, ItIsRefreshedWithoutAnybodysHelp) {
  RunLock lock(temp.path(), "kaon-train", quick);
  ASSERT_TRUE(lock.attempt());
  auto const first = content();
  while (content() == first) usleep(1000);
  EXPECT_EQ(content().size(), first.size());
  EXPECT_EQ(holder_in(content())->token, lock.token());
}

TEST_F(Lock, ADeadProcessKeepsNobodyOut) {
  pid_t const pid = child([&] { (new RunLock(temp.path(), "kaon-train"))->attempt(); });
  int status = 0;
  waitpid(pid, &status, 0);
  ASSERT_TRUE(fs::exists(path));
  RunLock lock(temp.path(), "kaon-train");  // with the usual times: nothing is waited for
  auto const said = hold(lock);
  EXPECT_SAYS(said, "took over");
  EXPECT_SAYS(said, "process " + std::to_string(pid));
  EXPECT_SAYS(said, "its process has ended");
  EXPECT_EQ(names(), 1u);
}

TEST_F(Lock, AZombieIsDead) {
  pid_t const pid = child([&] { (new RunLock(temp.path(), "x"))->attempt(); });
  siginfo_t info = {};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  RunLock lock(temp.path(), "kaon-train", {5, 60, 0});
  EXPECT_SAYS(hold(lock), "its process has ended");
  waitpid(pid, nullptr, 0);
}

TEST_F(Lock, ANumberThatHasGoneToAnotherProcessIsNoLife) {
  auto h = this_process("kaon-train");
  h.pid = 1, h.began += 12345;
  put(h);
  RunLock lock(temp.path(), "kaon-train");
  EXPECT_SAYS(hold(lock), "its process has ended");
}

TEST_F(Lock, ACopiedFolderIsFree) {
  fs::create_directories(temp / "copy");
  RunLock lock(temp.path(), "kaon-train");
  ASSERT_TRUE(lock.attempt());
  fs::copy_file(path, temp / "copy/lock");
  RunLock copy(temp / "copy", "kaon-train");
  EXPECT_SAYS(hold(copy), "a copy of");
  EXPECT_NO_THROW(lock.require_held(true));
}

TEST_F(Lock, OnAnotherMachineItIsWaitedOutAndSaid) {
  put(elsewhere());
  EXPECT_EQ(RunLock::look(temp.path())->second.life, Life::unknown);
  RunLock lock(temp.path(), "kaon-train", {5, 1.5, 0});
  EXPECT_FALSE(lock.attempt());
  auto notes = lock.notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_SAYS(notes[0], "node7");
  EXPECT_SAYS(notes[0], "another machine: waiting up to");
  EXPECT_FALSE(lock.attempt());
  EXPECT_TRUE(lock.notes().empty()) << "said once";
  EXPECT_EQ(holder_in(content())->host, "node7");
  EXPECT_SAYS(hold(lock), "nobody has refreshed it");
}

TEST_F(Lock, ASignOfLifeEndsTheWait) {
  auto h = elsewhere();
  put(h);
  RunLock lock(temp.path(), "kaon-train", {5, 600, 0});
  EXPECT_FALSE(lock.attempt());
  ++h.beat;
  put(h);
  EXPECT_SAYS(message_of<IoError>([&] { lock.attempt(); }), "node7");
  // Another one in its place is another one's wait.
  auto other = elsewhere();
  put(other);
  EXPECT_FALSE(lock.attempt());
}

TEST_F(Lock, ATornOrEmptyLockIsWaitedOut) {
  for (char const* text : {"", "{\"program\": \"kao"}) {
    put_text(path, text);
    RunLock lock(temp.path(), "kaon-train", quick);
    EXPECT_FALSE(lock.attempt());
    EXPECT_SAYS(hold(lock), "nobody has refreshed it");
  }
}

TEST_F(Lock, AJobThatIsPutBackGoesOnAtOnce) {
  setenv("SLURM_JOB_ID", "17", 1);
  put(elsewhere());
  {
    RunLock lock(temp.path(), "kaon-train", {5, 600, 0});
    EXPECT_FALSE(lock.attempt()) << "the same start of the same job: two programs of it on two machines";
  }
  setenv("SLURM_RESTART_COUNT", "1", 1);
  RunLock lock(temp.path(), "kaon-train", {5, 600, 0});
  EXPECT_SAYS(hold(lock), "job slurm 17");
  lock.release();
  unsetenv("SLURM_JOB_ID");
  setenv("PBS_JOBID", "17.host", 1);  // which counts no starts
  put(elsewhere());
  RunLock again(temp.path(), "kaon-train", {5, 600, 0});
  EXPECT_SAYS(hold(again), "job pbs 17.host");
}

TEST_F(Lock, PruneIsWaitedFor) {
  RunLock prune(temp.path(), "kaon-ckpt", quick), lock(temp.path(), "kaon-train", quick);
  ASSERT_TRUE(prune.attempt());
  for (int k = 0; k < 5; ++k) EXPECT_FALSE(lock.attempt());
  auto const notes = lock.notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_SAYS(notes[0], "waiting for kaon-ckpt");
  prune.release();
  EXPECT_TRUE(lock.attempt());
}

TEST_F(Lock, WhoLosesItLearnsSoAndLeavesTheOthersAlone) {
  RunLock lock(temp.path(), "kaon-train", {1000, 60, 0});
  ASSERT_TRUE(lock.attempt());
  put(elsewhere());
  auto const theirs = content();
  auto const say = message_of<IoError>([&] { lock.require_held(true); });
  EXPECT_SAYS(say, "taken over by kaon-train, process 4711 on node7");
  EXPECT_SAYS(say, "nothing more is written");
  EXPECT_SAYS(message_of<IoError>([&] { lock.require_held(); }), "node7");
  lock.release();
  EXPECT_EQ(content(), theirs);
}

TEST_F(Lock, WhoseRefreshesStoppedLooksBeforeItGoesOn) {
  RunLock lock(temp.path(), "kaon-train", {0.05, 60, 0});
  ASSERT_TRUE(lock.attempt());
  put(elsewhere());
  for (bool lost = false; !lost; usleep(1000)) try {
      lock.require_held();
    } catch (IoError const&) {
      lost = true;
    }
}

TEST_F(Lock, OneThatIsDeletedByHandIsMadeAgainAndAMovedFolderIsALoss) {
  RunLock lock(temp.path(), "kaon-train", {1000, 60, 0});
  ASSERT_TRUE(lock.attempt());
  fs::remove(path);
  EXPECT_NO_THROW(lock.require_held(true));
  EXPECT_EQ(holder_in(content())->token, lock.token());
  fs::create_directories(temp / "a");
  RunLock moved(temp / "a", "kaon-train", {1000, 60, 0});
  ASSERT_TRUE(moved.attempt());
  fs::rename(temp / "a", temp / "b");
  EXPECT_SAYS(message_of<IoError>([&] { moved.require_held(true); }), "is gone");
}

TEST_F(Lock, AFolderThatCannotBeWrittenIsNamed) {
  put_text(temp / "file", "x");
  RunLock lock(temp / "file", "kaon-train");
  EXPECT_SAYS(message_of<IoError>([&] { lock.attempt(); }), temp / "file/lock");
}

// Processes that all find the lock of a dead one: one of them gets it, whoever comes when.
TEST_F(Lock, OfManyThatTakeOverOneHolds) {
  constexpr int contenders = 6;
  for (int round = 0; round < 12; ++round) {
    auto dead = elsewhere();
    dead.boot = this_process("").boot, dead.pid = 4000000;  // above any process number
    put(dead);
    int start[2], held[2], end[2];
    ASSERT_EQ(pipe(start) | pipe(held) | pipe(end), 0);
    std::vector<pid_t> all;
    for (int c = 0; c < contenders; ++c) {
      all.push_back(fork());
      if (all.back() != 0) continue;
      close(start[1]), close(end[1]);
      char byte = 0;
      if (read(start[0], &byte, 1) != 0) _exit(3);  // all at once, when the pipe is closed
      RunLock lock(temp.path(), "kaon-train", {5, 60, 0});
      char said = '0';
      try {
        for (int k = 0; said == '0' && k < 100000; ++k)
          if (lock.attempt()) said = '1';
      } catch (IoError const&) {
        said = '-';
      }
      if (write(held[1], &said, 1) != 1 || read(end[0], &byte, 1) != 0) _exit(4);
      lock.release();
      _exit(0);
    }
    close(start[0]), close(start[1]), close(held[1]), close(end[0]);
    std::string said;
    for (char c = 0; read(held[0], &c, 1) == 1;)
      if (said += c; said.size() == contenders) break;
    close(held[0]), close(end[1]);
    for (auto const pid : all) {
      int status = 0;
      waitpid(pid, &status, 0);
      EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(std::count(said.begin(), said.end(), '1'), 1) << said;
    EXPECT_EQ(names(), 0u);
  }
}

}  // namespace
