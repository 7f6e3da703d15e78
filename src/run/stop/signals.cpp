#include <kaon/clock/phase_now.hpp>
#include <kaon/core/error.hpp>
#include <kaon/run/stop/signals.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <fmt/format.h>
#include <mpi.h>
#include <poll.h>
#include <semaphore.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <thread>

namespace kaon {

namespace {

std::atomic<int> stop_signal{0};
std::atomic<bool> save_asked{false};
std::atomic<bool> installed{false};
// Of the stop signal that counts: the first one, until it is served.
std::atomic<int> waiting_signal{0};
std::atomic<double> waiting_since{0};
sem_t came;  // posted by the handler, waited for by the thread
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free &&
                  std::atomic<double>::is_always_lock_free,
              "used in signal handlers");

extern "C" void kaon_on_signal(int signal) {
  if (signal == SIGUSR2) {
    save_asked.store(true);
    return;
  }
  stop_signal.store(signal);
  if (waiting_signal.load() != 0) return;
  int const before = errno;
  waiting_since.store(steady_seconds());
  waiting_signal.store(signal);
  sem_post(&came);
  errno = before;
}

void install(int signal, struct sigaction* previous) {
  struct sigaction action = {};
  action.sa_handler = kaon_on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  if (signal == SIGINT) action.sa_flags |= static_cast<int>(SA_RESETHAND);
  if (sigaction(signal, &action, previous) != 0) throw IoError("sigaction failed for " + signal_name(signal));
}

/// Past the lock of stderr, which the thread that hangs may hold, and not into a pipe that is full: that may be what it hangs in.
void say(std::string const& line) {
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (poll(&out, 1, 1000) != 1 || (out.revents & POLLOUT) == 0) return;
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // nobody is left to be told
}

/// Ends all ranks, from a thread beside one that hangs, perhaps in MPI.
[[noreturn]] void end_job(int code) {
  int begun = 0, over = 0;
  MPI_Initialized(&begun);
  MPI_Finalized(&over);
  if (begun && !over) {
    usleep(300000);  // the message goes first
    try {
      std::thread([code] { MPI_Abort(MPI_COMM_WORLD, code); }).detach();
      sleep(3);
    } catch (std::exception const&) {  // no thread can be had: the launcher sees the exit code alone
    }
  }
  _exit(code);
}

}  // namespace

Signals::Signals(std::function<void(std::string const&)> overdue) : overdue_(std::move(overdue)) {
  require(!installed.exchange(true), "Signals: one object at a time");
  take();
  waiting_signal = 0;
  sem_init(&came, 0, 0);
  for (std::size_t i = 0; i < previous_.size(); ++i) install(handled_[i], &previous_[i]);
  watcher_.begin([this] { watch(); });
}

Signals::~Signals() {
  for (std::size_t i = 0; i < previous_.size(); ++i) sigaction(handled_[i], &previous_[i], nullptr);
  quit_ = true;
  sem_post(&came);
  watcher_.finish();
  installed = false;
}

void Signals::hold(double seconds) {
  allowed_ = seconds;
  doing("the start of MPI: another rank may never have started");
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGUSR1);
  if (pthread_sigmask(SIG_BLOCK, &held, nullptr) != 0) throw IoError("pthread_sigmask failed");
}

void Signals::renew() {
  for (int const s : handled_)
    if (s != SIGINT || stop_signal != SIGINT) install(s, nullptr);  // an INT that has come leaves the next one its default action
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGUSR1);
  pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
  allowed_ = at_first_;
  doing("the start");
}

SignalRequest Signals::pending() const { return {stop_signal.load(), save_asked.load()}; }

SignalRequest Signals::take() { return {stop_signal.exchange(0), save_asked.exchange(false)}; }

void Signals::doing(char const* what, std::uint64_t step) {
  doing_ = what;
  step_ = step;
}

void Signals::served() { waiting_since = steady_seconds(); }

void Signals::settled() {
  if (int const signal = waiting_signal.exchange(0)) settled_ = signal;
}

void Signals::leaving(int code) {
  doing("leaving MPI");
  served();
  code_ = code;
  if (settled_ == 0 || waiting_signal != 0) return;
  waiting_signal = settled_;
  sem_post(&came);
}

std::string Signals::account() const {
  std::uint64_t const step = step_;
  std::string const phase = phase_now();
  return fmt::format(
      "signal {} is not served after {:.0f} s: this rank hangs in {}{}{}; checkpoints committed before are intact "
      "(run.stop_patience sets how long it may take)",
      signal_name(waiting_signal), std::floor(steady_seconds() - waiting_since), doing_.load(),
      step > 0 ? fmt::format(" {}", step) : "", phase.empty() ? "" : fmt::format(" ({})", phase));
}

void Signals::watch() {
  bool overdue = false;
  while (!quit_ && !overdue) {
    while (sem_wait(&came) != 0) {
    }
    while (!quit_ && !overdue && waiting_signal != 0) {
      timespec t{};
      clock_gettime(CLOCK_MONOTONIC, &t);  // which nobody sets
      constexpr long nap = 200'000'000;    // nanoseconds
      t.tv_nsec += nap;
      if (t.tv_nsec >= 1'000'000'000) t.tv_nsec -= 1'000'000'000, ++t.tv_sec;
      sem_clockwait(&came, CLOCK_MONOTONIC, &t);  // ends at once when the object does
      double const allowed = allowed_;
      overdue = allowed > 0 && waiting_signal != 0 && steady_seconds() - waiting_since > allowed;
    }
  }
  if (quit_) return;
  if (overdue_) return overdue_(account());
  say("kaon: error: " + account() + "\n");
  end_job(code_ >= 0 ? code_.load() : static_cast<int>(Exit::io));
}

std::string signal_name(int signal) {
  switch (signal) {
    case SIGUSR1:
      return "USR1";
    case SIGUSR2:
      return "USR2";
    case SIGTERM:
      return "TERM";
    case SIGINT:
      return "INT";
    case SIGXCPU:
      return "XCPU";
    default:
      return std::to_string(signal);
  }
}

}  // namespace kaon
