#ifndef KAON_METHOD_FIGURES_HPP
#define KAON_METHOD_FIGURES_HPP

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace kaon {

/// What a method measures of a layer in a step, and what layers.csv says of it.
struct Figures {
  std::vector<std::string>
      of_worker;  ///< squared norms that are taken at every worker, as messages name them; cause before effect
  std::vector<std::string> of_server;  ///< and at the layer's owner
  std::vector<std::string> columns;    ///< of layers.csv
  /// The columns' values. squares[j · of_worker.size() + k] is worker j's k-th, and the server's come behind those of all
  /// workers.
  std::function<std::vector<double>(std::span<double const> squares, int workers)> derive;
};

}  // namespace kaon

#endif
