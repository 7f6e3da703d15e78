#include <kaon/core/error.hpp>
#include <kaon/run/stop/signals.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <string>

namespace kaon {
namespace {

TEST(Signals, StopSignalsAskToStop) {
  for (int s : {SIGUSR1, SIGTERM, SIGINT, SIGXCPU}) {
    Signals signals;
    EXPECT_EQ(signals.pending().stop, 0);
    std::raise(s);
    EXPECT_EQ(signals.pending().stop, s);
    EXPECT_FALSE(signals.pending().save);
    EXPECT_EQ(signals.take().stop, s);
    EXPECT_EQ(signals.take().stop, 0) << "taken once";
  }
}

TEST(Signals, Usr2AsksToSaveOnly) {
  Signals signals;
  std::raise(SIGUSR2);
  auto const request = signals.take();
  EXPECT_TRUE(request.save);
  EXPECT_EQ(request.stop, 0);
  EXPECT_FALSE(signals.take().save);
}

TEST(Signals, OneKindDoesNotHideTheOther) {
  Signals signals;
  std::raise(SIGTERM);
  std::raise(SIGUSR2);
  auto const request = signals.take();
  EXPECT_EQ(request.stop, SIGTERM);
  EXPECT_TRUE(request.save);
}

TEST(Signals, OthersThanIntMayComeAgain) {
  Signals signals;
  for (int i = 0; i < 3; ++i) {
    std::raise(SIGUSR1);
    EXPECT_EQ(signals.take().stop, SIGUSR1) << i;
  }
}

volatile std::sig_atomic_t earlier_calls = 0;
extern "C" void earlier(int) { earlier_calls = earlier_calls + 1; }

TEST(Signals, RestoresTheHandlersOfBefore) {
  auto* const old = std::signal(SIGUSR1, earlier);
  {
    Signals signals;
    std::raise(SIGUSR1);
    EXPECT_EQ(earlier_calls, 0);
  }
  std::raise(SIGUSR1);
  EXPECT_EQ(earlier_calls, 1);
  std::signal(SIGUSR1, old);
}

TEST(Signals, ANewObjectStartsClean) {
  {
    Signals signals;
    std::raise(SIGTERM);
  }
  Signals signals;
  EXPECT_EQ(signals.pending().stop, 0);
}

TEST(Signals, OneAtATime) {
  Signals signals;
  EXPECT_THROW(Signals(), std::invalid_argument);
}

TEST(Signals, RenewedTheyTakeWhatCameMeanwhileFromAnotherHandler) {
  Signals signals;
  signals.hold();
  auto* const own = std::signal(SIGUSR1, earlier);  // as MPI_Init does
  EXPECT_NE(own, earlier);
  auto const calls = earlier_calls;
  std::raise(SIGUSR1);
  EXPECT_EQ(signals.pending().stop, 0) << "held";
  signals.renew();
  EXPECT_EQ(signals.take().stop, SIGUSR1);
  std::raise(SIGUSR1);
  EXPECT_EQ(signals.take().stop, SIGUSR1);
  EXPECT_EQ(earlier_calls, calls);
}

TEST(Signals, WhileMpiStartsAStopWaitsForLessLong) {
  std::atomic<bool> called{false};
  std::string told;
  Signals signals([&](std::string const& text) { told = text, called = true; });
  signals.hold(0.2);
  std::raise(SIGTERM);
  for (int i = 0; i < 2000 && !called; ++i) usleep(10000);
  ASSERT_TRUE(called);
  for (char const* part : {"signal TERM", "hangs in the start of MPI", "another rank may never have started"})
    EXPECT_NE(told.find(part), std::string::npos) << told;
  signals.renew();
}

TEST(Signals, ASecondIntKillsAfterARenewalToo) {
  pid_t const child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Signals signals;
    kill(getpid(), SIGINT);
    signals.renew();
    kill(getpid(), SIGINT);
    _exit(4);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
}

TEST(Signals, ASecondIntKillsAtOnce) {
  pid_t const child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Signals signals;
    kill(getpid(), SIGINT);
    if (signals.pending().stop != SIGINT) _exit(3);
    kill(getpid(), SIGINT);
    _exit(4);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(Signals, WhatComesTwiceCountsOnce) {
  Signals signals;
  std::raise(SIGTERM);
  std::raise(SIGTERM);
  EXPECT_EQ(signals.take().stop, SIGTERM);
  EXPECT_EQ(signals.take().stop, 0);
}

/// What an overdue stop signal says, as soon as it does.
struct Overdue {
  std::promise<std::string> text;
  std::future<std::string> said = text.get_future();
  std::function<void(std::string const&)> hear = [this](std::string const& t) { text.set_value(t); };
  bool spoke(double seconds) { return said.wait_for(std::chrono::duration<double>(seconds)) == std::future_status::ready; }
};

TEST(Signals, AStopSignalThatNobodyServesIsOverdue) {
  Overdue overdue;
  Signals signals(overdue.hear);
  signals.allow(0.1);
  signals.doing("step", 12);
  EXPECT_FALSE(overdue.spoke(0.5)) << "none has come";
  std::raise(SIGUSR2);
  EXPECT_FALSE(overdue.spoke(0.5)) << "none to stop";
  std::raise(SIGTERM);
  ASSERT_TRUE(overdue.spoke(60));
  auto const text = overdue.said.get();
  EXPECT_NE(text.find("signal TERM"), std::string::npos) << text;
  EXPECT_NE(text.find("hangs in step 12"), std::string::npos) << text;
}

TEST(Signals, ServingAStopSignalBeginsItsTimeAnew) {
  Overdue overdue;
  Signals signals(overdue.hear);
  signals.allow(1000);
  std::raise(SIGTERM);
  EXPECT_FALSE(overdue.spoke(0.3));
  signals.served();
  signals.allow(0.2);
  ASSERT_TRUE(overdue.spoke(60));
}

TEST(Signals, OneThatIsSettledIsNotWaitedForButTheNextOneIs) {
  Overdue overdue;
  Signals signals(overdue.hear);
  signals.allow(0.3);
  std::raise(SIGTERM);
  signals.settled();
  EXPECT_FALSE(overdue.spoke(1));
  std::raise(SIGUSR1);
  ASSERT_TRUE(overdue.spoke(60));
  EXPECT_NE(overdue.said.get().find("USR1"), std::string::npos);
}

TEST(Signals, WithoutALimitItMayWaitForEver) {
  Overdue overdue;
  Signals signals(overdue.hear);
  signals.allow(0);
  std::raise(SIGTERM);
  EXPECT_FALSE(overdue.spoke(0.5));
}

TEST(Signals, OneThatHangsWhileLeavingKeepsItsExitCode) {
  pid_t const child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Signals signals;
    signals.allow(0.1);
    signals.leaving(75);
    kill(getpid(), SIGTERM);
    for (;;) pause();
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 75);
}

TEST(Signals, Names) {
  EXPECT_EQ(signal_name(SIGUSR1), "USR1");
  EXPECT_EQ(signal_name(SIGTERM), "TERM");
  EXPECT_EQ(signal_name(SIGINT), "INT");
  EXPECT_EQ(signal_name(SIGUSR2), "USR2");
  EXPECT_EQ(signal_name(SIGXCPU), "XCPU");
  EXPECT_EQ(signal_name(63), "63");
}

}  // namespace
}  // namespace kaon
