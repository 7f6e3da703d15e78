#ifndef KAON_RUN_START_MEMORY_HPP
#define KAON_RUN_START_MEMORY_HPP

#include <cstddef>
#include <exception>
#include <string>

namespace kaon {

/// Lets OpenBLAS take the working memory that so many calls at once need; other libraries need no such care. An OpenBLAS that
/// finds none (`ulimit -v`, a batch system's limit) tries again for ever, so it is asked of the system first, in pieces of
/// `piece` bytes, and IoError, with the cure, says that it cannot be had.
void reserve_blas_memory(int calls, std::size_t piece = std::size_t(128) << 20);

/// True once reserve_blas_memory() or prove_threads() has failed: threads of OpenBLAS's own may be looking for memory for ever,
/// and the orderly end of a program waits for them. Such a program must leave by _exit().
bool blas_is_stuck();

/// Throws IoError, with the cure, unless so many threads can be started beside this one; they end at once. OpenMP ends the
/// program on the spot when it cannot start its own.
void prove_threads(int count);

/// Whether this is how C++, Kokkos or a device says that there is no memory.
bool is_out_of_memory(std::exception const& e);

/// One sentence of that: what was asked for and by whom, as far as `e` tells.
std::string out_of_memory_text(std::exception const& e);

/// What this rank holds, what its host has free, and the limits that bind it.
std::string memory_account();

}  // namespace kaon

#endif
