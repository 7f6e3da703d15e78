#include <kaon/step/share_check.hpp>

#include <kaon/core/error.hpp>

#include <algorithm>

namespace kaon {

std::string text_of(Share const& s) {
  return "worker " + std::to_string(s.worker) + ", step " + std::to_string(s.step) + ", micro-batch " + std::to_string(s.micro);
}

ShareCheck::ShareCheck(std::vector<Layer> layers) : layers_(std::move(layers)), given_(layers_.size()) {}

void ShareCheck::begin(Share const& share) {
  share_ = share;
  left_ = layers_.size();
  std::fill(given_.begin(), given_.end(), 0);
}

void ShareCheck::take(int layer, std::size_t rows, std::size_t cols, bool contiguous) {
  if (layer < 0 || static_cast<std::size_t>(layer) >= layers_.size())
    refuse("a gradient of layer " + std::to_string(layer) + " was given, and there are layers 0 to " +
           std::to_string(layers_.size() - 1));
  auto const i = static_cast<std::size_t>(layer);
  auto const& l = layers_[i];
  if (given_[i]) refuse(name(i) + " was given twice");
  if (rows != static_cast<std::size_t>(l.rows) || cols != static_cast<std::size_t>(l.cols))
    refuse("a gradient of " + std::to_string(rows) + " x " + std::to_string(cols) + " was given for " + name(i) + ", which is " +
           std::to_string(l.rows) + " x " + std::to_string(l.cols));
  if (!contiguous) refuse("the rows of the gradient that was given for " + name(i) + " do not lie one behind the other");
  given_[i] = 1;
  --left_;
}

void ShareCheck::end() const {
  if (left_ == 0) return;
  constexpr std::size_t most = 5;
  std::string names;
  std::size_t named = 0;
  for (std::size_t i = 0; i < layers_.size() && named < most; ++i) {
    if (given_[i]) continue;
    names += (named++ == 0 ? "" : ", ") + name(i);
  }
  if (left_ > most) names += " and " + std::to_string(left_ - most) + " more";
  refuse(names + (left_ == 1 ? " was" : " were") + " never given");
}

std::string ShareCheck::name(std::size_t layer) const {
  return "layer " + layers_[layer].name + " (" + std::to_string(layer) + ")";
}

void ShareCheck::refuse(std::string const& what) const {
  throw UsageError(what + ": " + text_of(share_) +
                   "; every layer of a share is given once (an objective calls sink), with a gradient of the layer's shape");
}

}  // namespace kaon
