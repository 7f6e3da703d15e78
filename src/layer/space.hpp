#ifndef KAON_LAYER_SPACE_HPP
#define KAON_LAYER_SPACE_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Everything above kernels/ runs on Kokkos' default execution space.
using Space = Kokkos::DefaultExecutionSpace;

}  // namespace kaon

#endif
