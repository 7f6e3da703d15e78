#include <kaon/run/threads.hpp>

#include <kaon/core/compat.hpp>
#include <kaon/run/banner.hpp>

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace kaon {

HostShare host_share(Communicator const& world) {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  cpu_set_t set;
  CPU_ZERO(&set);
  std::string mask;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int c = 0; c < CPU_SETSIZE; ++c) mask += CPU_ISSET(c, &set) ? '1' : '0';
  HostShare share;
  share.mine = std::max(1, static_cast<int>(std::count(mask.begin(), mask.end(), '1')));
  std::string all = mask;
  share.ranks = 0;
  auto const here = std::string(name);
  for (auto const& text : world.gather(here + '\n' + mask)) {
    auto const cut = text.find('\n');
    if (text.substr(0, cut) != here) continue;
    ++share.ranks;
    for (std::size_t c = 0; c < all.size() && cut + 1 + c < text.size(); ++c)
      if (text[cut + 1 + c] == '1') all[c] = '1';
  }
  share.cores = std::max(1, static_cast<int>(std::count(all.begin(), all.end(), '1')));
  return share;
}

int fair_threads(HostShare const& share) { return std::max(1, std::min(share.mine, share.cores / std::max(1, share.ranks))); }

bool cores_suffice(HostShare const& share, int threads, Communicator const& world) {
  return world.all(share.ranks * threads <= share.cores);
}

bool threads_chosen(std::vector<std::string> const& kokkos_options) {
  if (std::getenv("OMP_NUM_THREADS") || std::getenv("KOKKOS_NUM_THREADS")) return true;
  return std::any_of(kokkos_options.begin(), kokkos_options.end(),
                     [](std::string const& o) { return o.find("threads") != std::string::npos; });
}

std::string kokkos_threads_option(int threads) {
  return (KOKKOS_VERSION >= 30700 ? "--kokkos-num-threads=" : "--kokkos-threads=") + std::to_string(threads);
}

std::string blas_core_warning(std::string const& blas, std::string const& cpu_flags) {
  if (blas.find("OpenBLAS") == std::string::npos) return "";
  bool old = false;
  for (auto const* core : {"Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Generic"})
    old = old || blas.find(core) != std::string::npos;
  auto const has = [&](std::string const& flag) { return (' ' + cpu_flags + ' ').find(' ' + flag + ' ') != std::string::npos; };
  if (!old || !has("avx2")) return "";
  char const* const better = has("avx512vl") ? "SKYLAKEX" : has("fma") ? "HASWELL" : nullptr;
  if (!better) return "";
  return fmt::format(
      "OpenBLAS does not know this CPU and runs kernels for a much older one ({}): products may take 3 times as long. Cure: "
      "export "
      "OPENBLAS_CORETYPE={} before the program starts",
      blas, better);
}

std::vector<std::string> performance_warnings(HostShare const& share, int threads) {
  std::vector<std::string> out;
  if (share.ranks * threads > share.cores && threads > 1)
    out.push_back(
        fmt::format("{} ranks with {} threads each share {} cores of this host: expect an order of magnitude more time. Cure: "
                    "OMP_NUM_THREADS={}",
                    share.ranks, threads, share.cores, fair_threads(share)));
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("flags", 0) == 0) {
      if (auto w = blas_core_warning(blas_name(), line.substr(line.find(':') + 1)); !w.empty()) out.push_back(w);
      break;
    }
  return out;
}

}  // namespace kaon
