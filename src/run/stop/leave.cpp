#include <kaon/files/standard_output.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/run/start/memory.hpp>
#include <kaon/run/stop/leave.hpp>

#include <mpi.h>
#include <unistd.h>
#include <xxhash.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace kaon {

namespace {

// True when every rank gets here within the patience. On the world's own communicator, which nothing else in Kaon uses.
bool all_arrive(double patience) {
  MPI_Request request;
  int done = 0;
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  auto const start = std::chrono::steady_clock::now();
  while (!done && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < patience) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (!done) usleep(1000);
  }
  return done != 0;
}

}  // namespace

int leave_together(char const* program, std::function<Exit()> const& body) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  // MPICH asks the world's handler about errors of requests, whatever communicator these belong to.
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  std::string message, account;
  Exit code = Exit::numerical;
  try {
    return static_cast<int>(body());
  } catch (Error const& e) {
    message = e.what(), code = e.code();
  } catch (std::exception const& e) {
    if (is_out_of_memory(e))
      message = out_of_memory_text(e), account = " (" + memory_account() + ")", code = Exit::io;
    else
      message = std::string("internal error: ") + e.what();
  }
  constexpr double patience = 3;
  bool const together = all_arrive(patience);
  std::uint64_t const mine = text_hash(message);
  std::uint64_t first = mine;
  if (together) MPI_Bcast(&first, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
  if (rank == 0 || !together || first != mine) {
    std::string const who = together && rank == 0 ? "" : " (rank " + std::to_string(rank) + ")";
    std::fprintf(stderr, "%s: error%s: %s%s\n", program, who.c_str(), message.c_str(), account.c_str());
    std::fflush(stderr);
  }
  if (!together) {
    usleep(300000);  // a launcher that is told of the end may drop what it has not yet read: the message goes first
    MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  }
  return static_cast<int>(code);
}

void leave(char const* program, int code) {
  code = files::with_output_written(program, code);
  try {
    meet_before_finalize();
    MPI_Finalize();
  } catch (std::exception const& e) {
    std::fprintf(stderr, "%s: warning: at the very end: %s\n", program, e.what());
    std::fflush(nullptr);
    _exit(code);
  }
  leave_alone(code);
}

void leave_alone(int code) {
  if (blas_is_stuck()) {
    std::fflush(nullptr);
    _exit(code);
  }
  std::exit(code);
}

std::uint64_t text_hash(std::string const& text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace kaon
