#ifndef KAON_METHOD_EF21_MUON_EF21_MUON_HPP
#define KAON_METHOD_EF21_MUON_EF21_MUON_HPP

#include <kaon/method/ef21_muon/state.hpp>
#include <kaon/method/ef21_muon/traits.hpp>
#include <kaon/method/method.hpp>
#include <kaon/method/registry.hpp>
#include <kaon/method/tools.hpp>

#include <memory>
#include <vector>

namespace kaon {

/// EF21-Muon (arXiv 2510.00643, Algorithm 1, layer-wise): n logical workers and one logical server.
///
///   M_j ← (1−β)M_j + β∇f_j(W);  R_j = C_j(M_j − G_j);  G_j ← G_j + R_j
///   G ← G + (1/n) Σ R_j;  X ← X + t·LMO(G);  S = C(X − W);  W ← W + S
///
/// With the own key feedback = ef14, e_j ← λe_j + M_j, R_j = C_j(e_j), e_j ← e_j − R_j, G = (1/n) Σ R_j in the place of the
/// second line (λ is feedback_decay); with none, R_j = C_j(M_j).
///
/// The identity compressor sends the value itself (M_j, X), which its receiver assigns: with it G_j = M_j and W = X exactly, and
/// with one worker the method is Muon, Scion or Gluon to the last bit.
template <class T>
class Ef21Muon : public Method<T> {
 public:
  static MethodTraits traits() { return ef21_muon::traits(); }
  static std::unique_ptr<Method<T>> make(MethodLayers of) { return std::make_unique<Ef21Muon>(std::move(of)); }
  explicit Ef21Muon(MethodLayers of) : Ef21Muon(std::move(of), traits(), {}) {}

  LayerFlows flows(int layer) const override;
  double cost(int layer) const override;
  void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) override;
  void initialize(Space const& exec) override { state_->initialize(exec); }

  void on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) override;
  void serve(StepContext<T>& cx, int layer) override;
  void follow(StepContext<T>& cx, int layer) override;

  void register_state(Registry& registry) const override { state_->register_state(registry); }
  Figures const& figures() const override { return ef21_muon::figures(); }
  double check(Communicator const& comm, double tolerance) const override { return state_->check(comm, tolerance); }
  std::string invariant() const override { return state_->keeps_estimates() ? "mean G_j = G" : ""; }

  Ef21State<T> const& state() const { return *state_; }

 protected:
  /// For methods that send by it what is theirs: `traits` names the state's root and has the keys of feedback.
  Ef21Muon(MethodLayers of, MethodTraits traits, Ef21Keeps const& keeps);

  /// place(), in two parts: what is kept, and oracles of all layers for ranks that walk, of those that the rank serves for
  /// servers.
  void place_state(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W);
  void make_oracles(Plan const& plan, int rank, bool walks, bool at_servers);
  /// The packet that carries `value` itself, of a layer whose uplink drops nothing.
  void post_whole(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& value);
  /// The packet of `target`, by the layer's feedback; the sender does to its state what the packet says. Posts.
  void compress(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& target);
  /// G of the packets: G ← G + (1/n) Σ_j R_j with ef21; else, and where the packets carry the values themselves, G ← (1/n) Σ_j
  /// R_j. In worker order. Returns G; where none is kept it lies in scratch 0.
  Matrix<T, Space> gather(StepContext<T>& cx, int layer);
  /// Y ← (1 − t·decay)Y + t·LMO(D), t = length (adaptive: times ‖D‖_*); of Y and D, D may lie in scratch 0.
  void move_by_oracle(StepContext<T>& cx, int layer, Matrix<T, Space> const& Y, Matrix<T, Space> const& D, double length,
                      double decay, Vector<double, Space> const& motion);
  /// S = C(X − W), W ← W + S, with figures of it and of G, which is not in scratch 1.
  void send_shift(StepContext<T>& cx, int layer, ConstMatrix<T, Space> const& G, Measure* measure);
  StreamKey key(Purpose purpose, StepContext<T> const& cx, int layer, int worker) const;
  Layer const& layer_of(int layer) const { return of_.layers[static_cast<std::size_t>(layer)]; }
  LayerSettings const& settings_of(int layer) const { return of_.settings[static_cast<std::size_t>(layer)]; }

  MethodLayers of_;
  mutable Tools<T> tools_;
  std::unique_ptr<Ef21State<T>> state_;

 private:
  MethodTraits traits_;
  Ef21Keeps keeps_;
  Scalar<double, Space> one_, dual_;
};

extern template class Ef21Muon<float>;
extern template class Ef21Muon<double>;

}  // namespace kaon

#endif
