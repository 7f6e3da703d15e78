#ifndef KAON_BENCH_PEERS_HPP
#define KAON_BENCH_PEERS_HPP

#include <string>
#include <vector>

namespace kaon::bench {

/// The same work in another library.
struct Peer {
  std::string name, version, threads;
  double seconds = 0;  ///< median time of one call: CPU time with one thread, else wall-clock time
};

/// What peers.py measures for these arguments: one entry for each library that this interpreter has. Throws IoError when it
/// cannot be run.
std::vector<Peer> time_peers(std::string const& python, std::string const& arguments);

}  // namespace kaon::bench

#endif
