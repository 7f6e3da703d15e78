#ifndef KAON_RUN_START_BANNER_HPP
#define KAON_RUN_START_BANNER_HPP

#include <kaon/mpi/communicator.hpp>

#include <string>

namespace kaon {

/// How this program was built; the program passes it in, from its generated header.
struct Build {
  std::string version;
  std::string git_hash;
  std::string compiler;
  std::string flags;
};

/// "Kaon 0.1.0 (git 1234567)"
std::string version_line(Build const& build);

/// The first lines of a run: version, compiler, Kokkos (version, back ends, concurrency, device), BLAS, ranks and hosts.
/// Collective; the same text on every rank. After Kokkos::initialize.
std::string banner(Build const& build, Communicator const& ranks);

/// What the last bits of a result depend on besides the deck, as one line: Kokkos version and back end, CPU model or device, BLAS
/// with its configuration and its threads, compiler and flags. Equal text: the same bits. After Kokkos::initialize.
std::string arithmetic_fingerprint(Build const& build);

/// The host's BLAS library as it names itself (OpenBLAS, BLIS, MKL), or "unknown".
std::string blas_name();

/// The same with what Kaon chose for it, if anything (choose_blas_kernels).
std::string blas_text();

/// Threads that one call of the host's BLAS uses; 0 when it cannot be asked.
int blas_threads();

/// Sets that number. False when the library offers no way to: its environment variable is then the only one.
bool set_blas_threads(int threads);

/// The CPU's model name, or the machine type when the system does not tell the model.
std::string cpu_model();

}  // namespace kaon

#endif
