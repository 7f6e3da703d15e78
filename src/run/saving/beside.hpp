#ifndef KAON_RUN_SAVING_BESIDE_HPP
#define KAON_RUN_SAVING_BESIDE_HPP

#include <kaon/mpi/communicator.hpp>
#include <kaon/run/records/log.hpp>

#include <cstdint>
#include <string>

namespace kaon {

/// Whether checkpoints are written beside the training; the same on every rank. `wish` is checkpoint.asynchronous, `copy` the
/// bytes that a copy of this rank's state takes. Says what it decided and why, unless the wish is "no". Collective.
bool writes_beside(std::string const& wish, std::uint64_t copy, Communicator const& comm, Log const& log);

/// Bytes of memory that programs on this host may still take, by Linux' own estimate; 0 where it does not tell.
std::uint64_t available_memory(std::string const& meminfo = "/proc/meminfo");

}  // namespace kaon

#endif
