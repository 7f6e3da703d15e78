#include <kaon/core/error.hpp>
#include <kaon/run/saving/background.hpp>

#include <gtest/gtest.h>
#include <pthread.h>

#include <csignal>
#include <future>

namespace kaon {
namespace {

TEST(Background, IsBusyUntilItIsFinishedWith) {
  Background b;
  EXPECT_FALSE(b.busy() || b.done());
  b.finish();
  std::promise<void> go;
  int seen = 0;
  b.begin([&, wait = go.get_future().share()] {
    wait.wait();
    seen = 7;
  });
  EXPECT_TRUE(b.busy());
  EXPECT_FALSE(b.done());
  EXPECT_THROW(b.begin([] {}), std::invalid_argument);
  go.set_value();
  b.finish();
  EXPECT_EQ(seen, 7);
  EXPECT_FALSE(b.busy() || b.done());
}

TEST(Background, ItsErrorIsThrownOnceByFinish) {
  Background b;
  b.begin([] { throw IoError("the disk is full"); });
  EXPECT_THROW(b.finish(), IoError);
  EXPECT_NO_THROW(b.finish());
  b.begin([] {});
  EXPECT_NO_THROW(b.finish()) << "and is forgotten";
}

TEST(Background, TakesNoSignals) {
  sigset_t here, there;
  sigemptyset(&there);
  pthread_sigmask(SIG_SETMASK, nullptr, &here);
  Background b;
  b.begin([&] { pthread_sigmask(SIG_SETMASK, nullptr, &there); });
  b.finish();
  for (int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) EXPECT_EQ(sigismember(&there, signal), 1) << signal;
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT})
    EXPECT_EQ(sigismember(&after, signal), sigismember(&here, signal)) << "the caller goes on taking them";
}

TEST(Background, IsWaitedForWhenItGoesOutOfScope) {
  std::promise<void> go;
  bool ended = false;
  {
    Background b;
    b.begin([&, wait = go.get_future().share()] {
      wait.wait();
      ended = true;
    });
    go.set_value();
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace kaon
