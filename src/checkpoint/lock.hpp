#ifndef KAON_CHECKPOINT_LOCK_HPP
#define KAON_CHECKPOINT_LOCK_HPP

#include <kaon/checkpoint/holder.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace kaon {

/// The file `lock` of a run folder: one program at a time works there. Made by hard link, or an exclusive create where there are
/// no links, so it holds on network file systems too; flock is not used. A thread of its own, which makes no MPI calls, rewrites
/// it every few seconds. One that is left behind by a program that died is taken over: at once where this process can tell
/// (same machine, or the same batch job put back), else when nobody has refreshed it for a while, judged by its content and not
/// by clocks. For one process of a job.
class RunLock {
 public:
  struct Times {           ///< seconds
    double beat = 5;       ///< from refresh to refresh
    double patience = 60;  ///< without a refresh, until the lock of a process that cannot be looked at is taken over
    double grace = 2;      ///< for one that is alive to end
  };
  /// Touches nothing.
  RunLock(std::string const& directory, std::string const& program) : RunLock(directory, program, Times()) {}
  RunLock(std::string const& directory, std::string const& program, Times times);
  ~RunLock();
  RunLock(RunLock const&) = delete;
  RunLock& operator=(RunLock const&) = delete;

  /// Tries once, and returns whether this process holds it now. False: ask again in a moment. Throws IoError naming the one that
  /// has it when that one lives, or when the file system refuses.
  bool attempt();
  /// attempt() until it is held. `say` gets the notes.
  template <class Say>
  void hold(Say&& say) {
    for (bool held = false; !held;) {
      held = attempt();
      for (auto const& note : notes()) say(note);
      if (!held) pause();
    }
  }
  /// Lines for the log since the last call: what is waited for, what was taken over.
  std::vector<std::string> notes() { return std::exchange(notes_, {}); }
  /// Between two attempts.
  static void pause();

  /// Throws IoError when another process has taken the lock, or the folder is gone: nothing may be written any more. Looks at the
  /// file when the last refresh is a while ago (a suspended job), or when asked to.
  void require_held(bool look = false);
  /// Ends the thread and removes the file, if it is still this process'. The destructor does it too.
  void release() noexcept;

  std::string const& path() const { return path_; }
  std::string const& token() const { return me_.token; }

  /// Who has the folder, and what can be told of it at once; nothing where there is no lock. Touches nothing.
  static std::optional<std::pair<std::string, Finding>> look(std::string const& directory);

 private:
  bool create();
  bool open_exclusively();
  void write_here(int file);
  std::optional<std::string> read() const;
  bool steal(std::string const& text);
  void sweep() const;
  void refresh(bool beat);
  void begin_thread();
  void stop_thread();
  std::string name(char const* what) const { return path_ + "." + what + "." + me_.token; }

  std::string directory_, path_;
  Times times_;
  Holder me_;
  std::vector<std::string> notes_;
  std::string seen_;  ///< the other's lock as it was last read
  double seen_since_ = 0, met_since_ = 0;
  std::string met_;  ///< its token

  std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  bool held_ = false, ending_ = false;
  int file_ = -1;
  double confirmed_ = 0;
  std::string lost_;
  std::thread thread_;
};

}  // namespace kaon

#endif
