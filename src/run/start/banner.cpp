#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/run/start/banner.hpp>
#include <kaon/run/start/blas_kernels.hpp>
#include <kaon/run/start/loaded_function.hpp>

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <vector>

namespace kaon {

namespace {

#define KAON_SPACE_NAME(Exec) names.emplace_back(Exec::name());
std::string backends() {
  std::vector<std::string> names;
  KAON_FOR_EACH_SPACE(KAON_SPACE_NAME)
  return fmt::format("{}", fmt::join(names, ", "));
}
#undef KAON_SPACE_NAME

std::string kokkos_version() {
  return fmt::format("{}.{}.{:02}", KOKKOS_VERSION / 10000, KOKKOS_VERSION / 100 % 100, KOKKOS_VERSION % 100);
}

std::string device_name() {
  auto const gpu = gpu_name();
  return gpu.empty() ? cpu_model() : gpu;
}

// "a (2 ranks), b (1 rank)", in the order in which the hosts appear.
std::string hosts_of(std::vector<std::string> const& names) {
  std::vector<std::pair<std::string, int>> hosts;
  for (auto const& name : names) {
    auto const at = std::find_if(hosts.begin(), hosts.end(), [&](auto const& h) { return h.first == name; });
    if (at == hosts.end())
      hosts.emplace_back(name, 1);
    else
      ++at->second;
  }
  std::vector<std::string> words;
  for (auto const& [name, count] : hosts) words.push_back(fmt::format("{} ({} {})", name, count, count == 1 ? "rank" : "ranks"));
  constexpr std::size_t shown = 8;
  auto const more = words.size() > shown ? fmt::format(", and {} more", words.size() - shown) : std::string();
  words.resize(std::min(words.size(), shown));
  return fmt::format("{}{}", fmt::join(words, ", "), more);
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown host";
}

std::string blas_line(std::string const& name) {
  int const threads = blas_threads();
  return fmt::format("{}, {}", name,
                     threads > 0 ? fmt::format("{} thread{}", threads, threads == 1 ? "" : "s") : "threads unknown");
}

}  // namespace

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    auto const colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  struct utsname system = {};
  return uname(&system) == 0 ? system.machine : "unknown CPU";
}

std::string blas_name() {
  if (auto* f = loaded_function<char*()>("openblas_get_config")) {
    std::string config = f();
    config.erase(config.find_last_not_of(' ') + 1);
    auto* core = loaded_function<char*()>("openblas_get_corename");
    auto const kernel = core ? std::string(core()) : std::string();
    return kernel.empty() || config.find(kernel) != std::string::npos ? config : config + " " + kernel;
  }
  if (auto* f = loaded_function<char const*()>("bli_info_get_version_str")) return fmt::format("BLIS {}", f());
  if (auto* f = loaded_function<void(char*, int)>("MKL_Get_Version_String")) {
    char text[200] = {};
    f(text, sizeof text - 1);
    std::string name = text;
    name.erase(name.find_last_not_of(' ') + 1);
    return name;
  }
  return "unknown";
}

std::string blas_text() {
  auto const& note = choose_blas_kernels().note;
  return note.empty() ? blas_name() : fmt::format("{} ({})", blas_name(), note);
}

int blas_threads() {
  if (auto* f = loaded_function<int()>("openblas_get_num_threads")) return f();
  if (auto* f = loaded_function<int()>("MKL_Get_Max_Threads")) return f();
  return 0;
}

bool set_blas_threads(int threads) {
  require(threads >= 1, "set_blas_threads: at least one");
  auto* f = loaded_function<void(int)>("openblas_set_num_threads");
  if (!f) f = loaded_function<void(int)>("MKL_Set_Num_Threads");
  if (!f) return false;
  f(threads);
  return blas_threads() == threads;
}

std::string version_line(Build const& build) { return fmt::format("Kaon {} (git {})", build.version, build.git_hash); }

std::string banner(Build const& build, Communicator const& ranks) {
  Kokkos::DefaultExecutionSpace const space;
  auto const hosts = ranks.gather(host_name());
  auto const text = fmt::format("{}, {}, {}\nKokkos {} ({}), runs on {}, concurrency {}, {}\nBLAS: {}\n{} rank{} on {}\n",
                                version_line(build), build.compiler, build.flags, kokkos_version(), backends(),
                                Kokkos::DefaultExecutionSpace::name(), space.concurrency(), device_name(), blas_line(blas_text()),
                                ranks.size(), ranks.size() == 1 ? "" : "s", hosts_of(hosts));
  return ranks.broadcast(text, 0);
}

std::string arithmetic_fingerprint(Build const& build) {
  return fmt::format("Kokkos {} {}; {}; BLAS {}; {} {}", kokkos_version(), Kokkos::DefaultExecutionSpace::name(), device_name(),
                     blas_line(blas_name()), build.compiler, build.flags);
}

}  // namespace kaon
