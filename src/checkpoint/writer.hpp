#ifndef KAON_CHECKPOINT_WRITER_HPP
#define KAON_CHECKPOINT_WRITER_HPP

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/checkpoint/info.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/state/registry.hpp>

#include <string>

namespace kaon {

/// Collective. Throws the same error on every rank unless info and fields are the same everywhere, paths are absolute and
/// unique, and the written parts are whole slabs of the leading dimension that cover every field exactly once.
void require_consistent(Communicator const& comm, CheckpointInfo const& info, Registry const& registry);

/// Bytes of a file that holds this registry, rounded up.
std::uint64_t file_bytes(CheckpointInfo const& info, Registry const& registry);

/// Collective: rank 0 writes what is HDF5's, every rank its parts of the fields, and all of it is on the disk. The bytes outside
/// /provenance depend on the rank-independent info and on the state alone. Throws on every rank or on none.
void write_checkpoint(Communicator const& comm, std::string const& path, CheckpointInfo const& info, Registry const& registry);

}  // namespace kaon

#endif
