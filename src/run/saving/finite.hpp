#ifndef KAON_RUN_SAVING_FINITE_HPP
#define KAON_RUN_SAVING_FINITE_HPP

#include <kaon/mpi/communicator.hpp>
#include <kaon/state/registry.hpp>

#include <string>

namespace kaon {

/// Collective: where the state has its first NaN or infinity, as "/path, element N of what rank R writes"; "" when all is finite.
/// The same on every rank. Looks at what the ranks write, which is all of the state.
std::string first_not_finite(Communicator const& comm, Registry const& registry);

}  // namespace kaon

#endif
