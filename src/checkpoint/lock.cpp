#include <kaon/checkpoint/lock.hpp>

#include <kaon/core/error.hpp>
#include <kaon/files/lacking.hpp>
#include <kaon/files/system.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>

namespace kaon {
namespace {

namespace fs = std::filesystem;

double seconds_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string lock_of(std::string const& directory) { return directory + "/lock"; }

bool no_links(int error) { return files::is_lacking(files::Thing::hard_links, error); }

std::string who(std::optional<Holder> const& holder) {
  return holder ? holder->describe() : "a program that has not written its name";
}

}  // namespace

RunLock::RunLock(std::string const& directory, std::string const& program, Times times)
    : directory_(directory), path_(lock_of(directory)), times_(times), me_(this_process(program)) {}

RunLock::~RunLock() { release(); }

void RunLock::pause() { ::usleep(200000); }

std::optional<std::string> RunLock::read() const {
  if (!files::identity(path_)) return {};
  try {
    return files::read_all(path_);
  } catch (IoError const&) {
    if (!files::identity(path_)) return {};  // removed meanwhile
    throw;
  }
}

std::optional<std::pair<std::string, Finding>> RunLock::look(std::string const& directory) {
  RunLock const one(directory, "");
  auto const text = one.read();
  if (!text) return {};
  auto const holder = holder_in(*text);
  return std::pair(who(holder), holder ? find(*holder, one.me_, one.path_) : Finding{Life::unknown, "the lock is torn"});
}

void RunLock::write_here(int file) {
  auto const text = to_text(me_);
  std::size_t done = 0;
  while (done < text.size()) {
    auto const n = ::pwrite(file, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) files::fail("write", path_, n < 0 ? errno : EIO);
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(file) != 0 && errno != EINVAL) files::fail("write", path_, errno);  // other machines see it from now on
}

/// Where there are no hard links. Between create and write others see an empty lock, which is nobody they know.
bool RunLock::open_exclusively() {
  int const file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) {
    if (errno == EEXIST) return false;
    files::fail("create", path_, errno);
  }
  file_ = file;
  try {
    write_here(file);
  } catch (...) {
    ::unlink(path_.c_str());
    ::close(std::exchange(file_, -1));
    throw;
  }
  return true;
}

/// A file of one's own gets the lock's name too: a network file system may lose the answer, but the number of names tells.
bool RunLock::create() {
  auto const mine = name("new");
  int const file = ::open(mine.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) files::fail("create", path_, errno);
  try {
    write_here(file);
  } catch (...) {
    ::unlink(mine.c_str());
    ::close(file);
    throw;
  }
  int const error = ::link(mine.c_str(), path_.c_str()) == 0 ? 0 : errno;
  struct stat s {};
  bool const linked = error == 0 || (::fstat(file, &s) == 0 && s.st_nlink == 2);
  ::unlink(mine.c_str());
  if (linked) {
    if (file_ >= 0) ::close(file_);
    file_ = file;
    return true;
  }
  ::close(file);
  if (error == EEXIST || error == ENOENT) return false;  // ENOENT: another one that got it has swept
  if (no_links(error)) return open_exclusively();
  files::fail("create", path_, error);
}

/// Only what was judged goes: what another one has made of it meanwhile is given back.
bool RunLock::steal(std::string const& text) {
  if (read() != text) return false;
  auto const away = name("old");
  if (std::rename(path_.c_str(), away.c_str()) != 0) {
    if (errno == ENOENT) return false;
    files::fail("take over", path_, errno);
  }
  if (files::read_all(away) == text) {
    ::unlink(away.c_str());
    return true;
  }
  if (::link(away.c_str(), path_.c_str()) != 0 && no_links(errno) && !files::identity(path_))
    std::rename(away.c_str(), path_.c_str());
  ::unlink(away.c_str());
  return false;
}

/// Files of contenders that died on the way.
void RunLock::sweep() const {
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end; it.increment(error))
    if (auto const n = it->path().filename().string(); n.rfind("lock.new.", 0) == 0 || n.rfind("lock.old.", 0) == 0)
      ::unlink(it->path().c_str());
}

bool RunLock::attempt() {
  if (held_) return true;
  auto const text = read();
  if (!text) {
    if (!create()) return false;
    held_ = true;
    confirmed_ = seconds_now();
    sweep();
    begin_thread();
    return true;
  }
  double const now = seconds_now();
  auto const holder = holder_in(*text);
  bool const same = holder && !met_.empty() && holder->token == met_;
  bool const beats = same && *text != seen_;
  if (!same) met_ = holder ? holder->token : std::string(), met_since_ = now;
  bool const fresh = *text != seen_;
  if (fresh) seen_ = *text, seen_since_ = now;

  auto finding = holder ? find(*holder, me_, path_) : Finding{Life::unknown, "the lock is torn"};
  if (finding.life == Life::unknown && beats) finding.life = Life::alive;
  if (finding.life == Life::unknown && now - seen_since_ >= times_.patience)
    finding = {Life::gone, fmt::format("nobody has refreshed it for {:.0f} s", times_.patience)};
  switch (finding.life) {
    case Life::alive:
      if (holder->program == "kaon-ckpt") {  // tidies up, which does not last
        if (!same) notes_.push_back(fmt::format("waiting for {}, which works in {}", who(holder), directory_));
        return false;
      }
      if (now - met_since_ < times_.grace) return false;
      throw IoError(
          fmt::format("{} is in use by {} ({}); two programs in one run folder would spoil each other's run. Cure: wait for "
                      "its end, or choose another folder with -d",
                      directory_, who(holder), path_));
    case Life::gone:
      if (steal(*text)) notes_.push_back(fmt::format("took over {} of {}: {}", path_, who(holder), finding.why));
      return false;
    case Life::unknown:
      if (!same && fresh)
        notes_.push_back(fmt::format("{} is held by {}, and {}: waiting up to {:.0f} s for a sign of life", path_, who(holder),
                                     finding.why, times_.patience));
  }
  return false;
}

void RunLock::begin_thread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the new thread has this mask: signals are for the others
  try {
    thread_ = std::thread([this] {
      std::unique_lock guard(mutex_);
      while (!ending_) {
        wake_.wait_for(guard, std::chrono::duration<double>(times_.beat));
        if (ending_) return;
        refresh(true);
        if (!lost_.empty()) return;
      }
    });
  } catch (std::exception const& e) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    release();
    throw IoError(std::string("cannot start a thread: ") + e.what());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// With the mutex held. A file system that refuses for a while is no loss: only another one's lock is, or no folder.
void RunLock::refresh(bool beat) {
  try {
    auto const text = read();
    if (!text) {
      if (!files::identity(directory_)) {
        lost_ = fmt::format("the run folder {} is gone", directory_);
      } else if (create()) {
        confirmed_ = seconds_now();
      }
      return;
    }
    auto const holder = holder_in(*text);
    if (holder && holder->token != me_.token) {
      lost_ = fmt::format("{} has been taken over by {}: this program did not refresh it in time", path_, holder->describe());
      return;
    }
    if (!holder) return;
    if (!beat) return void(confirmed_ = seconds_now());
    if (file_ < 0) file_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (file_ < 0 || files::identity(path_) != files::identity(file_, path_)) files::fail("open", path_, ESTALE);
    ++me_.beat;
    write_here(file_);
    confirmed_ = seconds_now();
  } catch (Error const&) {
    if (file_ >= 0) ::close(std::exchange(file_, -1));  // a network file system may have given the file another handle
  }
}

void RunLock::require_held(bool look) {
  std::lock_guard const guard(mutex_);
  if (!held_) return;
  bool const late = seconds_now() - confirmed_ > 3 * times_.beat;
  if (lost_.empty() && (look || late)) refresh(late);
  if (!lost_.empty()) throw IoError(lost_ + "; nothing more is written");
}

void RunLock::stop_thread() {
  {
    std::lock_guard const guard(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RunLock::release() noexcept {
  try {
    stop_thread();
    if (!held_) return;
    held_ = ending_ = false;
    if (auto const text = read())
      if (auto const holder = holder_in(*text); holder && holder->token == me_.token) ::unlink(path_.c_str());
  } catch (...) {  // the next one finds that this process has ended
  }
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

}  // namespace kaon
