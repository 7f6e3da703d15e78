#ifndef KAON_METHOD_LOCAL_STEPS_LOCAL_MUON_HPP
#define KAON_METHOD_LOCAL_STEPS_LOCAL_MUON_HPP

#include <kaon/method/local_steps/local_update.hpp>

namespace kaon {

/// Local steps of Muon, with any norm's oracle. The inner step of worker j, with M_j kept over the rounds and never averaged:
///
///   M_j ← (1−β)M_j + β∇f_j(θ_j);  θ_j ← (1 − t·decay)θ_j + t·LMO(M_j)
///
/// with the look-ahead in the place of M_j with Nesterov. One worker, the identity both ways and outer average with η = 1 are
/// Muon without rounds, to the bit. Model-sized arrays, beside LocalUpdate's: M_j for each worker computed here; with Nesterov
/// one more.
template <class T>
class LocalMuon : public LocalUpdate<T> {
 public:
  explicit LocalMuon(MethodLayers of) : LocalUpdate<T>(std::move(of), ef21_muon::traits()) {}

  void place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) override;
  void initialize(Space const& exec) override;
  void on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) override;
  void register_state(Registry& registry) const override;

 protected:
  void inner_step(StepContext<T>& cx, int layer, int worker, Matrix<T, Space> const& theta) override;

 private:
  std::unique_ptr<WorkerArrays<T>> momenta_, ahead_;  // ahead_: of the step under way
};

extern template class LocalMuon<float>;
extern template class LocalMuon<double>;

}  // namespace kaon

#endif
