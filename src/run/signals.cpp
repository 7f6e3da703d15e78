#include <kaon/core/error.hpp>
#include <kaon/run/signals.hpp>

#include <atomic>

namespace kaon {

namespace {

constexpr int handled[4] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};

std::atomic<int> stop_signal{0};
std::atomic<bool> save_asked{false};
std::atomic<bool> installed{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free, "used in signal handlers");

extern "C" void kaon_on_signal(int signal) {
  if (signal == SIGUSR2)
    save_asked.store(true);
  else
    stop_signal.store(signal);
}

void install(int signal, struct sigaction* previous) {
  struct sigaction action = {};
  action.sa_handler = kaon_on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  if (signal == SIGINT) action.sa_flags |= static_cast<int>(SA_RESETHAND);
  if (sigaction(signal, &action, previous) != 0) throw IoError("sigaction failed for " + signal_name(signal));
}

}  // namespace

Signals::Signals() {
  require(!installed.exchange(true), "Signals: one object at a time");
  take();
  for (int i = 0; i < 4; ++i) install(handled[i], &previous_[i]);
}

void Signals::hold() {
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGUSR1);
  if (pthread_sigmask(SIG_BLOCK, &held, nullptr) != 0) throw IoError("pthread_sigmask failed");
}

void Signals::renew() {
  for (int const s : handled)
    if (s != SIGINT || stop_signal != SIGINT) install(s, nullptr);  // an INT that has come leaves the next one its default action
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGUSR1);
  pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
}

Signals::~Signals() {
  for (int i = 0; i < 4; ++i) sigaction(handled[i], &previous_[i], nullptr);
  installed = false;
}

SignalRequest Signals::pending() const { return {stop_signal.load(), save_asked.load()}; }

SignalRequest Signals::take() { return {stop_signal.exchange(0), save_asked.exchange(false)}; }

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
    default:
      return std::to_string(signal);
  }
}

}  // namespace kaon
