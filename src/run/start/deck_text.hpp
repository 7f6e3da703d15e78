#ifndef KAON_RUN_START_DECK_TEXT_HPP
#define KAON_RUN_START_DECK_TEXT_HPP

#include <kaon/mpi/communicator.hpp>

#include <string>

namespace kaon {

/// Collective: the text of the deck file (or "-", the standard input) that rank 0 reads, once, for all ranks; so it may be a
/// pipe, and need not lie on every node. Throws UsageError on every rank when rank 0 cannot read it.
std::string read_deck_together(Communicator const& comm, std::string const& path);

/// Whether the deck can be read again, and by every rank: it is a file and not a pipe or a terminal.
bool deck_is_a_file(std::string const& path);

}  // namespace kaon

#endif
