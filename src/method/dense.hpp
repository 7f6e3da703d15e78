#ifndef KAON_METHOD_DENSE_HPP
#define KAON_METHOD_DENSE_HPP

#include <kaon/compress/compressor.hpp>
#include <kaon/exchange/flows.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/method/method.hpp>

#include <memory>
#include <string>
#include <vector>

namespace kaon {

/// What a layer sends that nobody compresses. `identity` is the identity compressor of the layer's shape.
template <class T>
LayerFlows dense_flows(Layer const& layer, Compressor<T, Space> const& identity);

/// At a server, when the layer's W has made its step: sends it to the other ranks by the `identity` of its shape, or counts the
/// packet where there are none.
template <class T>
void send_model(StepContext<T>& cx, int layer, Compressor<T, Space>& identity);
/// Elsewhere: takes it. `name`: the layer's.
template <class T>
void take_model(StepContext<T>& cx, int layer, std::string const& name, Compressor<T, Space>& identity);

/// Base of methods that compress nothing: gradients are added on the way (Up::ordered_sum), state lives where a layer is served,
/// and W is sent to all. What is left for the method: on_gradient() takes the mean gradient of all workers, serve() steps W and
/// calls send().
template <class T>
class DenseMethod : public Method<T> {
 public:
  LayerFlows flows(int layer) const final;
  void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) override;
  void initialize(Space const& exec) override;
  void follow(StepContext<T>& cx, int layer) final;
  void register_state(Registry& registry) const final;
  double check(Communicator const& comm, double tolerance) const final;

 protected:
  /// `state`: names of the arrays, of the layer's shape and zero at step 0, that outlive a step: /NAME/<state>/<layer> in
  /// checkpoints. All layers of `of` must name the method NAME.
  DenseMethod(MethodLayers of, std::string name, std::vector<std::string> state);

  /// The layer's array of that number, where it is served; empty elsewhere.
  Matrix<T, Space> const& state(std::size_t which, int layer) const { return arrays_[which][static_cast<std::size_t>(layer)]; }
  bool serves(int layer) const { return served_[static_cast<std::size_t>(layer)]; }
  bool owns(int layer) const { return owned_[static_cast<std::size_t>(layer)]; }
  MethodLayers const& of() const { return of_; }
  Layer const& layer_of(int layer) const { return of_.layers[static_cast<std::size_t>(layer)]; }
  LayerSettings const& settings_of(int layer) const { return of_.settings[static_cast<std::size_t>(layer)]; }

  /// send_model() of the layer.
  void send(StepContext<T>& cx, int layer) { send_model<T>(cx, layer, *identity_[static_cast<std::size_t>(layer)]); }

 private:
  MethodLayers of_;
  std::string name_;
  std::vector<std::string> names_;                               ///< of arrays_
  std::vector<std::unique_ptr<Compressor<T, Space>>> identity_;  ///< layer
  std::vector<bool> served_, owned_;
  std::vector<std::vector<Matrix<T, Space>>> arrays_;  ///< array, layer
};

extern template class DenseMethod<float>;
extern template class DenseMethod<double>;

}  // namespace kaon

#endif
