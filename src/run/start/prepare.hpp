#ifndef KAON_RUN_START_PREPARE_HPP
#define KAON_RUN_START_PREPARE_HPP

#include <kaon/deck/deck.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/run/records/log.hpp>
#include <kaon/run/start/banner.hpp>

#include <string>
#include <vector>

namespace kaon {

/// A program's first call, before MPI and Kokkos start: the right kernels of BLAS (choose_blas_kernels), and OMP_PROC_BIND =
/// false where nobody said. Throws UsageError when KOKKOS_NUM_THREADS or OMP_NUM_THREADS is no number of threads, IoError when
/// BLAS cannot have the memory of one call (reserve_blas_memory; blas_is_stuck says how to leave then).
void prepare_process();

/// Takes the --kokkos options out of a command line, and gives them in the names that start_kokkos() passes on. Throws
/// UsageError.
std::vector<std::string> take_kokkos_options(int& argc, char** argv);

/// Kokkos::initialize with these --kokkos options, in the names of any release, and where the user chose no number of threads
/// with a fair share of the host's cores. Collective where MPI has started; else this process has the host for itself. Throws
/// UsageError for options that cannot be meant, IoError when so many threads, or the memory that BLAS needs
/// for them, cannot be had. Then Kokkos has not started.
void start_kokkos(std::vector<std::string> const& options = {});

/// Throws InputError when the ranks have different decks. Collective.
void require_same_deck(Deck const& deck, Communicator const& comm);

/// Throws InputError where a checkpoint's deck holds keys or names that this program does not know (Deck::foreign).
void require_known(Deck const& deck);

/// What a deck asks of the process, and what the log says of it: the same deck on every rank, all of it known here, the threads
/// of BLAS and the memory that it needs, how to wait for messages; the banner, and a warning for each setting that wastes the
/// machine. Training's constructors do it first. Collective, after Kokkos has started. Returns the deck.
Deck const& prepare_run(Deck const& deck, Communicator const& comm, Build const& build, Log const& log);

}  // namespace kaon

#endif
