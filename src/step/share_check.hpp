#ifndef KAON_STEP_SHARE_CHECK_HPP
#define KAON_STEP_SHARE_CHECK_HPP

#include <kaon/layer/layer.hpp>
#include <kaon/objective/objective.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace kaon {

/// "worker 1, step 12, micro-batch 0".
std::string text_of(Share const& share);

/// Holds an objective, or whoever gives gradients, to the contract for one share: every layer once, in its shape. Throws
/// UsageError that names the layer, the worker and the step. Allocates only where it throws.
class ShareCheck {
 public:
  explicit ShareCheck(std::vector<Layer> layers);

  void begin(Share const& share);
  /// Before the gradient of `layer`, rows×cols, is used.
  void take(int layer, std::size_t rows, std::size_t cols, bool contiguous);
  /// When the share is to be complete.
  void end() const;
  bool complete() const { return left_ == 0; }

 private:
  [[noreturn]] void refuse(std::string const& what) const;
  std::string name(std::size_t layer) const;

  std::vector<Layer> layers_;
  std::vector<char> given_;
  std::size_t left_ = 0;
  Share share_;
};

}  // namespace kaon

#endif
