#include <kaon/checkpoint/holder.hpp>

#include <kaon/checkpoint/identity.hpp>
#include <kaon/checkpoint/info.hpp>
#include <kaon/files/system.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace kaon {
namespace {

using Json = nlohmann::ordered_json;

std::string first_line(char const* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string text_of(char const* variable) {
  char const* const value = std::getenv(variable);
  return value ? value : "";
}

struct Process {
  char state = 0;
  std::uint64_t began = 0;
};
/// From /proc/<pid>/stat; nothing when it cannot be read.
std::optional<Process> process(std::int64_t pid) {
  auto const line = first_line(fmt::format("/proc/{}/stat", pid).c_str());
  auto const name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  Process p;
  rest >> p.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) rest >> skipped;
  rest >> p.began;
  if (!rest) return {};
  return p;
}

/// False only when the process' open files can be listed and the lock is not one of them.
bool may_have_open(std::int64_t pid, std::string const& path) {
  auto const wanted = files::identity(path);
  auto const folder = fmt::format("/proc/{}/fd", pid);
  DIR* const list = ::opendir(folder.c_str());
  if (!wanted || !list) {
    if (list) ::closedir(list);
    return true;
  }
  bool found = false;
  while (dirent const* const entry = ::readdir(list)) {
    struct stat s {};
    if (::stat((folder + "/" + entry->d_name).c_str(), &s) == 0 && files::Identity{s.st_dev, s.st_ino} == *wanted) found = true;
  }
  ::closedir(list);
  return found;
}

}  // namespace

std::string Holder::describe() const {
  return fmt::format("{}, process {} on {}{}{}, since {}", program, pid, host, job.empty() ? "" : ", job ", job, since);
}

void find_job(Holder& holder) {
  struct System {
    char const *name, *id, *part, *start;
  };
  static constexpr System systems[] = {{"slurm", "SLURM_JOB_ID", "", "SLURM_RESTART_COUNT"},
                                       {"flux", "FLUX_JOB_ID", "", ""},
                                       {"pbs", "PBS_JOBID", "", ""},
                                       {"lsf", "LSB_JOBID", "LSB_JOBINDEX", ""},
                                       {"sge", "SGE_TASK_ID", "JOB_ID", ""},
                                       {"cobalt", "COBALT_JOBID", "", ""}};
  for (auto const& s : systems) {
    auto const id = text_of(s.id), part = *s.part ? text_of(s.part) : std::string();
    if (id.empty()) continue;
    holder.job = fmt::format("{} {}{}{}", s.name, id, part.empty() ? "" : ".", part);
    auto const start = *s.start ? text_of(s.start) : std::string();
    holder.start = *s.start && start.empty() ? std::string(1, '0') : start;  // Slurm counts from when it first puts a job back
    return;
  }
}

Holder this_process(std::string const& program) {
  Holder h;
  h.program = program;
  char host[256] = {};
  h.host = ::gethostname(host, sizeof host - 1) == 0 ? host : "unknown host";
  h.boot = first_line("/proc/sys/kernel/random/boot_id");
  char space[64] = {};
  if (::readlink("/proc/self/ns/pid", space, sizeof space - 1) > 0) h.space = space;
  h.pid = ::getpid();
  if (auto const p = process(h.pid)) h.began = p->began;
  find_job(h);
  h.since = utc_now();
  h.token = new_run_id();
  return h;
}

std::string to_text(Holder const& h) {
  Json const j = {{"program", h.program},
                  {"host", h.host},
                  {"boot", h.boot},
                  {"space", h.space},
                  {"pid", h.pid},
                  {"began", h.began},
                  {"job", h.job},
                  {"start", h.start},
                  {"since", h.since},
                  {"token", h.token},
                  {"beat", fmt::format("{:016}", h.beat)}};
  return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<Holder> holder_in(std::string const& text) {
  try {
    auto const j = Json::parse(text);
    Holder h;
    h.program = j.at("program");
    h.host = j.at("host");
    h.boot = j.at("boot");
    h.space = j.at("space");
    h.pid = j.at("pid");
    h.began = j.at("began");
    h.job = j.at("job");
    h.start = j.at("start");
    h.since = j.at("since");
    h.token = j.at("token");
    h.beat = std::stoull(j.at("beat").get<std::string>());
    return h;
  } catch (std::exception const&) {
    return {};
  }
}

Finding find(Holder const& other, Holder const& me, std::string const& lock) {
  bool const here = !me.boot.empty() && other.boot == me.boot && !me.space.empty() && other.space == me.space;
  if (here) {
    if (::kill(static_cast<pid_t>(other.pid), 0) != 0 && errno == ESRCH) return {Life::gone, "its process has ended"};
    if (auto const p = process(other.pid)) {
      if (p->began != other.began) return {Life::gone, "its process has ended"};
      if (p->state == 'Z' || p->state == 'X') return {Life::gone, "its process has ended"};
      if (!may_have_open(other.pid, lock)) return {Life::gone, "it holds another folder, which this one is a copy of"};
      return {Life::alive, ""};
    }
  }
  if (!me.job.empty() && other.job == me.job && (other.start != me.start || me.start.empty()))
    return {Life::gone, "the batch system has put this job back"};
  return {Life::unknown, here ? "its process cannot be seen" : "it runs on another machine"};
}

}  // namespace kaon
