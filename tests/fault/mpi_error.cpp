// Makes MPI fail in a thread that is not the program's first one (LD_PRELOAD): the KAON_MPI_ERROR_AT-th MPI_Test of such a thread
// on rank KAON_MPI_ERROR_RANK returns MPI_ERR_OTHER, once. The file KAON_MPI_ERROR_REPORT gets a line when it does.
#include <mpi.h>

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include <sys/syscall.h>

namespace {

long number(char const* name) {
  char const* const text = std::getenv(name);
  return text ? std::atol(text) : -1;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int MPI_Test(MPI_Request* request, int* done, MPI_Status* status) {
  static std::atomic<long> calls{0};
  static long const at = number("KAON_MPI_ERROR_AT"), victim = number("KAON_MPI_ERROR_RANK");
  if (syscall(SYS_gettid) != getpid()) {
    int rank = 0;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == victim && ++calls == at) {
      if (char const* const path = std::getenv("KAON_MPI_ERROR_REPORT"))
        if (std::FILE* const out = std::fopen(path, "a")) {
          std::fprintf(out, "failed rank=%d call=%ld\n", rank, at);
          std::fclose(out);
        }
      return MPI_ERR_OTHER;
    }
  }
  return PMPI_Test(request, done, status);
}
