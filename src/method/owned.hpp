#ifndef KAON_METHOD_OWNED_HPP
#define KAON_METHOD_OWNED_HPP

#include <kaon/core/types.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/plan/plan.hpp>
#include <kaon/state/registry.hpp>

#include <string>
#include <vector>

namespace kaon {

// State that lives where a layer is served: one matrix a layer, of the layer's shape; empty elsewhere.

/// Layer: whether it is one of `mine` and the rank its owner.
std::vector<bool> owned_of(std::vector<int> const& mine, Plan const& plan, int rank);

/// One zero matrix for each layer in `where`.
template <class T>
std::vector<Matrix<T, Space>> owned_matrices(char const* label, std::vector<Layer> const& layers, std::vector<bool> const& where);

/// Adds the field `path` + the layer's name: written by its owner, needed by its servers, the same for any number of workers.
template <class T>
void register_owned(Registry& registry, std::string const& path, std::vector<Layer> const& layers, int layer,
                    std::vector<bool> const& owned, std::vector<bool> const& served, std::vector<Matrix<T, Space>> const& all);

/// Collective. Throws InputError, on every rank, that names the layer of which one of `all` has a NaN or an infinity.
template <class T>
void refuse_not_finite(Communicator const& comm, std::vector<Layer> const& layers, std::vector<Matrix<T, Space>> const& all,
                       char const* what);

}  // namespace kaon

#endif
