#ifndef KAON_RUN_SAVING_BACKGROUND_HPP
#define KAON_RUN_SAVING_BACKGROUND_HPP

#include <atomic>
#include <exception>
#include <functional>
#include <thread>

namespace kaon {

/// One piece of work at a time on a thread of its own, which takes no signals. Local.
class Background {
 public:
  Background() = default;
  /// Waits for the work; its error, if any, is lost.
  ~Background();
  Background(Background const&) = delete;
  Background& operator=(Background const&) = delete;

  /// Begins; nothing else may be under way.
  void begin(std::function<void()> work);
  /// Something has begun and finish() has not been called.
  bool busy() const { return thread_.joinable(); }
  /// finish() would not wait.
  bool done() const { return done_.load(std::memory_order_acquire); }
  /// Waits for the work and throws its error.
  void finish();

 private:
  std::thread thread_;
  std::atomic<bool> done_{false};
  std::exception_ptr error_;
};

}  // namespace kaon

#endif
