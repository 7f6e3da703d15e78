#ifndef KAON_METHOD_DECODE_HPP
#define KAON_METHOD_DECODE_HPP

#include <kaon/core/error.hpp>

#include <cstdint>
#include <string>

namespace kaon {

/// Calls `body`, which decodes a payload: what it cannot be the decoder tells, whose it is only the caller knows. `worker` < 0:
/// of the downlink. Throws InputError that names step, layer and sender.
template <class Body>
void decode(std::uint64_t step, std::string const& layer, int worker, Body&& body) {
  try {
    body();
  } catch (InputError const& e) {
    throw InputError("step " + std::to_string(step) + ", layer " + layer + ", " +
                     (worker < 0 ? std::string("downlink") : "worker " + std::to_string(worker)) + ": " + e.what());
  }
}

}  // namespace kaon

#endif
