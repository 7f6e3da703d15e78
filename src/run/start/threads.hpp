#ifndef KAON_RUN_START_THREADS_HPP
#define KAON_RUN_START_THREADS_HPP

#include <kaon/mpi/communicator.hpp>

#include <string>
#include <vector>

namespace kaon {

/// Cores that the ranks of this rank's host may use together, and how many ranks those are. Collective.
struct HostShare {
  int cores = 1;
  int ranks = 1;
  int mine = 1;  ///< cores that this rank may use
};
HostShare host_share(Communicator const& world);
/// The same for a process that is alone. Local.
HostShare host_share();

/// Threads a rank should run when nobody said: its share of the host's cores, at least one. Without this, OpenMP starts one
/// thread per core in every rank, and their spinning slows a run down by an order of magnitude.
int fair_threads(HostShare const& share);

/// Whether every thread of every rank has a core of its own, on all hosts. Collective.
bool cores_suffice(HostShare const& share, int threads, Communicator const& world);

/// One line for each setting that is known to waste the machine, with its cure. `threads` is what one rank runs.
std::vector<std::string> performance_warnings(HostShare const& share, int threads);

}  // namespace kaon

#endif
