#include <kaon/run/saving/beside.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace kaon {

std::uint64_t available_memory(std::string const& meminfo) {
  std::ifstream in(meminfo);
  for (std::string line; std::getline(in, line);) {
    constexpr char const* key = "MemAvailable:";
    if (line.rfind(key, 0) != 0) continue;
    auto const at = line.find_first_of("0123456789");
    if (at == std::string::npos) return 0;
    return std::stoull(line.substr(at)) * 1024;
  }
  return 0;
}

bool writes_beside(std::string const& wish, std::uint64_t copy, Communicator const& comm, Log const& log) {
  if (wish == "no") return false;
  int level = MPI_THREAD_SINGLE;
  KAON_MPI(MPI_Query_thread(&level));
  if (!comm.all(level >= MPI_THREAD_MULTIPLE)) {
    log.warning(fmt::format(
        "checkpoint.asynchronous = {}: this MPI gave no MPI_THREAD_MULTIPLE, so checkpoints stop the training", wish));
    return false;
  }
  // Sums over the ranks of each host, on all ranks.
  auto const& host = comm.nodes();
  std::vector<std::int64_t> needs(host.size(), 0);
  needs[static_cast<std::size_t>(host[static_cast<std::size_t>(comm.rank())])] = static_cast<std::int64_t>(copy);
  comm.sum_each(needs);
  auto const here = static_cast<std::uint64_t>(needs[static_cast<std::size_t>(host[static_cast<std::size_t>(comm.rank())])]);
  auto const free = available_memory();
  auto const largest = comm.max(static_cast<std::int64_t>(copy));
  if (wish == "auto" && !comm.all(free >= 2 * here)) {
    log.line(
        fmt::format("checkpoints stop the training: the copies that it takes to write beside it ({:.1f} MB on the largest rank) "
                    "are more than half of the memory that a host has free",
                    static_cast<double>(largest) / 1e6));
    return false;
  }
  log.line(fmt::format("periodic checkpoints are written beside the training, from a copy of {:.1f} MB on the largest rank",
                       static_cast<double>(largest) / 1e6));
  return true;
}

}  // namespace kaon
