#ifndef KAON_RUN_START_TAKE_WEIGHTS_HPP
#define KAON_RUN_START_TAKE_WEIGHTS_HPP

#include <kaon/checkpoint/identity.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/objective/objective.hpp>

#include <string>
#include <vector>

namespace kaon {

struct TakenWeights {
  Parent from;        ///< how: "weights"
  int converted = 0;  ///< layers whose numbers had another precision
};

/// Collective: fills X, one matrix per layer, with the weights of the file, which rank 0 reads; entries of another precision are
/// converted, rounding to nearest. Throws InputError on every rank, with `where` (the place in the
/// deck) and the cure, when the file is none (WeightFile), or has other layers or shapes than these.
template <class T>
TakenWeights take_weights(Communicator const& comm, std::string const& path, std::string const& where,
                          std::vector<Layer> const& layers, Space const& exec, typename Objective<T>::Point const& X);

}  // namespace kaon

#endif
