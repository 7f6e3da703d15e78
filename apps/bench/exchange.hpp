#ifndef KAON_BENCH_EXCHANGE_HPP
#define KAON_BENCH_EXCHANGE_HPP

#include <kaon/mpi/communicator.hpp>

#include <optional>
#include <string>
#include <vector>

namespace kaon::bench {

/// kaon-bench exchange [options]: to be started by mpiexec. `kokkos`: options for start_kokkos(). Returns the exit code.
int exchange_main(int argc, char** argv, std::vector<std::string> const& kokkos);

/// Receive-and-add at one rank, in the senders' order, against MPI_Reduce and MPI_Allreduce of the same floats.
void race_aggregation(Communicator const& comm, std::size_t bytes, int repetitions);

/// A blocking MPI_Allreduce of one number against Kaon's.
void race_waits(Communicator const& comm, int repetitions);

struct ModelOptions {
  std::string deck;
  std::vector<std::string> overrides;
  std::vector<int> ranks;           ///< empty: those of the job, with the deck's workers; else one worker a rank
  std::optional<double> bandwidth;  ///< bytes a second; measured where there are two ranks
  std::optional<double> latency;    ///< seconds
  std::optional<double> measured;   ///< seconds a step of the job's ranks and the deck's topology, to compare with
};
/// Predicted seconds a step of the deck for every topology, compressed as the deck says and uncompressed.
void print_model(Communicator const& comm, ModelOptions const& options);

}  // namespace kaon::bench

#endif
