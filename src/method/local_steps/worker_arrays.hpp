#ifndef KAON_METHOD_LOCAL_STEPS_WORKER_ARRAYS_HPP
#define KAON_METHOD_LOCAL_STEPS_WORKER_ARRAYS_HPP

#include <kaon/core/types.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/method/method.hpp>
#include <kaon/plan/plan.hpp>
#include <kaon/state/registry.hpp>

#include <memory>
#include <string>
#include <vector>

namespace kaon {

/// A matrix of every layer's shape for each worker that the rank computes gradients of; the ranks that share a worker have it
/// alike, and the worker's first one writes it to checkpoints.
template <class T>
class WorkerArrays {
 public:
  /// For the layers of `of` alone; zero. `path` is that of the fields, without the layer's name.
  WorkerArrays(MethodLayers const& of, Plan const& plan, int rank, std::string path);

  Matrix<T, Space> operator()(int layer, int worker) const {
    return Kokkos::subview(cubes_[static_cast<std::size_t>(layer)], static_cast<std::size_t>(worker - here_.first), Kokkos::ALL,
                           Kokkos::ALL);
  }
  Range const& workers() const { return here_; }
  void zero(Space const& exec) const;
  /// Resize::weighted.
  void register_state(Registry& registry) const;

 protected:
  MethodLayers of_;
  Range here_, leads_;

 private:
  using Cube = Kokkos::View<T***, Kokkos::LayoutRight, DeviceOf<Space>>;
  std::string path_;
  std::vector<Cube> cubes_;  // layer
};

/// The same for what lives within a round of local steps: at a round's end a checkpoint has, for every worker, the rest values
/// (Resize::same), whatever stands in the arrays.
template <class T>
class RoundArrays : public WorkerArrays<T> {
 public:
  /// `rest`: of every layer, all workers' alike; empty: zero.
  RoundArrays(MethodLayers const& of, Plan const& plan, int rank, std::string path, std::vector<Matrix<T, Space>> rest)
      : WorkerArrays<T>(of, plan, rank, std::move(path)), rest_(std::move(rest)) {}

  /// Whether the last step ended a round; so it is before any.
  void set_at_rest(bool rest) { *at_rest_ = rest; }
  void register_state(Registry& registry) const;

 private:
  std::vector<Matrix<T, Space>> rest_;
  std::shared_ptr<bool> at_rest_ = std::make_shared<bool>(true);  // fields of a registry share it
};

extern template class WorkerArrays<float>;
extern template class WorkerArrays<double>;
extern template class RoundArrays<float>;
extern template class RoundArrays<double>;

}  // namespace kaon

#endif
