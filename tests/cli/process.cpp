#include "program.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace kaon::test {

namespace {

using Clock = std::chrono::steady_clock;

int temporary_file() {
  std::string name = ::testing::TempDir() + "kaon_output_XXXXXX";
  int const fd = mkstemp(name.data());
  if (fd >= 0) unlink(name.c_str()), fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

std::string read_back(int fd) {
  std::string text;
  char buffer[4096];
  off_t at = 0;
  for (ssize_t n; (n = pread(fd, buffer, sizeof buffer, at)) > 0; at += n) text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

std::string link_of(std::string const& path) {
  char target[PATH_MAX];
  ssize_t const n = readlink(path.c_str(), target, sizeof target);
  return n > 0 ? std::string(target, static_cast<std::size_t>(n)) : std::string();
}

}  // namespace

std::string Outcome::all() const {
  return command + "\n  exit code " + std::to_string(code) + (signal ? ", killed by signal " + std::to_string(signal) : "") +
         (timed_out ? ", timed out" : "") + "\n--- stdout\n" + out + "--- stderr\n" + err;
}

Process::Process(Words words, std::string folder) : out_(temporary_file()), err_(temporary_file()) {
  for (auto const& w : words) outcome_.command += (outcome_.command.empty() ? "" : " ") + w;
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    setpgid(0, 0);
    int const nothing = open("/dev/null", O_RDONLY);
    bool const ready = nothing >= 0 && dup2(nothing, 0) == 0 && dup2(out_, 1) == 1 && dup2(err_, 2) == 2 &&
                       chdir(folder.c_str()) == 0 && setenv("OMP_NUM_THREADS", "1", 1) == 0 &&
                       setenv("OMP_PROC_BIND", "false", 1) == 0 && setenv("OMP_WAIT_POLICY", "passive", 1) == 0 &&
                       setenv("OPENBLAS_NUM_THREADS", "1", 1) == 0;
    if (ready) execvp(argv[0], argv.data());
    _exit(127);
  }
  EXPECT_GT(pid_, 0) << "fork failed";
}

Process::~Process() {
  if (pid_ > 0 && running()) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, &status_, 0);
  }
  close(out_);
  close(err_);
}

bool Process::running() {
  if (!reaped_ && pid_ > 0) reaped_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !reaped_;
}

Outcome Process::wait(double seconds) {
  auto const end = Clock::now() + std::chrono::duration<double>(seconds);
  while (running() && Clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (running()) {
    outcome_.timed_out = true;
    kill(-pid_, SIGKILL);
    reaped_ = waitpid(pid_, &status_, 0) == pid_;
  }
  if (WIFEXITED(status_)) outcome_.code = WEXITSTATUS(status_);
  if (WIFSIGNALED(status_)) outcome_.signal = WTERMSIG(status_);
  outcome_.out = read_back(out_);
  outcome_.err = read_back(err_);
  return outcome_;
}

Outcome run(Words words, std::string const& folder, double seconds) { return Process(std::move(words), folder).wait(seconds); }

std::vector<pid_t> ranks_in(std::string const& folder) {
  std::vector<pid_t> found;
  DIR* const all = opendir("/proc");
  while (dirent const* const entry = all ? readdir(all) : nullptr) {
    std::string const proc = std::string("/proc/") + entry->d_name;
    int const pid = std::atoi(entry->d_name);
    if (pid > 0 && link_of(proc + "/exe") == KAON_TRAIN && link_of(proc + "/cwd") == folder) found.push_back(pid);
  }
  if (all) closedir(all);
  std::sort(found.begin(), found.end());
  return found;
}

bool wait_until(std::function<bool()> const& true_now, double seconds) {
  auto const end = Clock::now() + std::chrono::duration<double>(seconds);
  while (!true_now()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace kaon::test
