#ifndef KAON_CHECKPOINT_WEIGHT_SOURCE_HPP
#define KAON_CHECKPOINT_WEIGHT_SOURCE_HPP

#include <kaon/checkpoint/weights.hpp>

#include <cstddef>

namespace kaon {

/// One kind of file that has weights.
class WeightFile::Source {
 public:
  virtual ~Source() = default;
  virtual std::uint64_t step() const = 0;
  virtual std::string run() const { return {}; }
  virtual std::vector<std::string> layers() const = 0;
  // Of a layer that is there.
  virtual std::vector<std::uint64_t> shape(std::string const& layer) const = 0;
  /// Bytes of one of its numbers.
  virtual std::size_t width(std::string const& layer) const = 0;
  /// Where its shape is a matrix's. Allocates no more than that.
  virtual std::vector<double> read(std::string const& layer) const = 0;
};

}  // namespace kaon

#endif
