#include <kaon/run/start/threads.hpp>

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

namespace kaon {

namespace {

/// A '1' for each CPU that this process may run on.
std::string cpu_mask() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::string mask;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int c = 0; c < CPU_SETSIZE; ++c) mask += CPU_ISSET(c, &set) ? '1' : '0';
  return mask;
}

int ones(std::string const& mask) { return std::max(1, static_cast<int>(std::count(mask.begin(), mask.end(), '1'))); }

}  // namespace

HostShare host_share() {
  int const mine = ones(cpu_mask());
  return {mine, 1, mine};
}

HostShare host_share(Communicator const& world) {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  std::string const mask = cpu_mask();
  HostShare share;
  share.mine = ones(mask);
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
  share.cores = ones(all);
  return share;
}

int fair_threads(HostShare const& share) { return std::max(1, std::min(share.mine, share.cores / std::max(1, share.ranks))); }

bool cores_suffice(HostShare const& share, int threads, Communicator const& world) {
  return world.all(share.ranks * threads <= share.cores);
}

std::vector<std::string> performance_warnings(HostShare const& share, int threads) {
  std::vector<std::string> out;
  if (share.ranks * threads > share.cores && threads > 1)
    out.push_back(
        fmt::format("{} ranks with {} threads each share {} cores of this host: expect an order of magnitude more time. Cure: "
                    "OMP_NUM_THREADS={}",
                    share.ranks, threads, share.cores, fair_threads(share)));
  return out;
}

}  // namespace kaon
