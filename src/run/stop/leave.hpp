#ifndef KAON_RUN_STOP_LEAVE_HPP
#define KAON_RUN_STOP_LEAVE_HPP

#include <kaon/core/error.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace kaon {

/// Runs `body` on every rank and turns its outcome into the program's exit code. An error that all ranks meet (a bad deck) is
/// printed once, with what other ranks say differently, and they leave in good order; one that only some ranks meet is printed by
/// those, and MPI_Abort ends the job with its code, because the others may be waiting for a message that will never come.
int leave_together(char const* program, std::function<Exit()> const& body);

/// The last call of a program, in the place of MPI_Finalize and `return code`: ends MPI and the process. What goes wrong here is
/// said, but what has been computed and saved stands, and the exit code with it. Standard output that could not be written makes
/// a 0 a 74.
[[noreturn]] void leave(char const* program, int code);

/// The end of a process that MPI has not started in, or that has left it.
[[noreturn]] void leave_alone(int code);

/// XXH3-64 of a text: to compare what ranks have read.
std::uint64_t text_hash(std::string const& text);

}  // namespace kaon

#endif
