#ifndef KAON_DATA_SETTINGS_HPP
#define KAON_DATA_SETTINGS_HPP

#include <string>
#include <vector>

namespace kaon {

/// Where the tokens come from and how the workers share them: the deck's data section.
struct DataSettings {
  std::vector<std::string> train;    ///< files or patterns, read as one sequence
  std::string format = "auto";       ///< text, tokens or auto: see Tokens::load
  std::string validation;            ///< a file or pattern of its own; empty: hold out a fraction of the training text
  double validation_fraction = 0;    ///< held out of the training text, in [0, 1); unused with a validation file
  std::string split = "contiguous";  ///< contiguous: worker j has the j-th stretch of the text; interleaved: dealt in turn
  std::string order = "random";      ///< random: drawn with replacement; sequential: in the order of the text
  int validation_batches = 16;       ///< at most so many validation pieces, evenly spread; 0: all
};

}  // namespace kaon

#endif
