#ifndef KAON_LAYER_LAYER_HPP
#define KAON_LAYER_LAYER_HPP

#include <string>
#include <vector>

namespace kaon {

/// One matrix of parameters with its own norm ball: X_i ∈ R^{rows×cols}.
struct Layer {
  std::string name;  ///< unique; letters, digits, '.', '_' and '-': it becomes an HDF5 dataset name
  int rows = 0;      ///< m: outputs
  int cols = 0;      ///< n: inputs
};

}  // namespace kaon

#endif
