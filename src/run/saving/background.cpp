#include <kaon/run/saving/background.hpp>

#include <kaon/core/error.hpp>

#include <csignal>
#include <utility>

namespace kaon {

Background::~Background() {
  if (thread_.joinable()) thread_.join();
}

void Background::begin(std::function<void()> work) {
  require(!busy(), "Background: something is under way");
  done_ = false;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // a new thread has the mask of the one that makes it
  try {
    thread_ = std::thread([this, work = std::move(work)] {
      try {
        work();
      } catch (...) {
        error_ = std::current_exception();
      }
      done_.store(true, std::memory_order_release);
    });
  } catch (std::exception const& e) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw IoError(std::string("cannot start a thread: ") + e.what());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Background::finish() {
  if (!busy()) return;
  thread_.join();
  done_ = false;
  if (auto const error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
}

}  // namespace kaon
