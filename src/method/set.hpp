#ifndef KAON_METHOD_SET_HPP
#define KAON_METHOD_SET_HPP

#include <kaon/method/registry.hpp>

#include <memory>
#include <string>
#include <vector>

namespace kaon {

/// The methods of a model's layers: one object for each name that the settings have.
template <class T>
class MethodSet {
 public:
  /// Throws UsageError that names the layer whose settings cannot be.
  MethodSet(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings, OptimizerSettings const& optimizer);

  Method<T>& of(int layer) const { return *of_[static_cast<std::size_t>(layer)]; }
  std::vector<std::unique_ptr<Method<T>>> const& all() const { return all_; }
  /// In the order of their first layers.
  std::vector<std::string> const& names() const { return names_; }

  /// Of every layer. Before place(). Where gradients are clipped every worker's stands alone: dense ones are not added on the
  /// way, but travel as packets (Up::each).
  std::vector<LayerFlows> flows() const;
  /// Whether the layer's method takes the mean of all workers' gradients.
  bool takes_mean(int layer) const { return of(layer).flows(layer).up == Up::ordered_sum; }
  /// What a plan balances by, in a run and in its prediction: layers of one method and of the same rounds, which may share a
  /// message, are of one kind.
  std::vector<LayerLoad> loads() const;

 private:
  LayerFlows flow(int layer) const;

  std::vector<std::unique_ptr<Method<T>>> all_;
  std::vector<std::string> names_;
  std::vector<Method<T>*> of_;  ///< layer
  bool clips_;
};

extern template class MethodSet<float>;
extern template class MethodSet<double>;

}  // namespace kaon

#endif
