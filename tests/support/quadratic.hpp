#ifndef KAON_SUPPORT_QUADRATIC_HPP
#define KAON_SUPPORT_QUADRATIC_HPP

#include <kaon/objective/objective.hpp>
#include <kaon/random/stream.hpp>

#include <vector>

namespace kaon::test {

/// f_j(X) = (1/m) Σ_b Σ_i ½‖X_i − T_ijb‖², T_ijb random and different for each worker and micro-batch b < m: the smallest
/// heterogeneous objective with several layers. Gradients leave last layer first, as backward does.
template <class T>
class Quadratic final : public Objective<T> {
 public:
  using typename Objective<T>::Point;
  using typename Objective<T>::ConstPoint;
  using typename Objective<T>::Sink;

  Quadratic(std::vector<Layer> layers, int workers, std::uint64_t seed, int micro_batches = 1)
      : layers_(std::move(layers)), seed_(seed), micro_batches_(micro_batches) {
    for (int j = 0; j < workers * micro_batches; ++j)
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        Matrix<T, Space> t("kaon::test::target", static_cast<std::size_t>(layers_[i].rows),
                           static_cast<std::size_t>(layers_[i].cols));
        fill_random(t, {seed, Purpose::test, 1, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j)});
        targets_.push_back(t);
        gradients_.emplace_back("kaon::test::gradient", t.extent(0), t.extent(1));
      }
  }

  std::vector<Layer> const& layers() const override { return layers_; }
  int micro_batches() const override { return micro_batches_; }

  void initialize(Space const&, Point const& X) override {
    for (std::size_t i = 0; i < X.size(); ++i)
      fill_random(X[i], {seed_, Purpose::initialise, 0, static_cast<std::uint32_t>(i), 0});
  }

  void gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                Sink const& sink) override {
    T const part = T(1) / static_cast<T>(micro_batches_);
    Kokkos::deep_copy(exec, loss, 0.0);
    for (std::size_t r = layers_.size(); r-- > 0;) {
      auto const at = static_cast<std::size_t>(share.worker * micro_batches_ + share.micro) * layers_.size() + r;
      auto const target = targets_[at];
      auto const g = gradients_[at];
      auto const w = W[r];
      int const n = static_cast<int>(g.size());
      T* const gp = g.data();
      T const *const wp = w.data(), *const tp = target.data();
      double sum = 0;
      Kokkos::parallel_for(
          "kaon::test::gradient", Kokkos::RangePolicy<Space>(exec, 0, n),
          KOKKOS_LAMBDA(int const e) { gp[e] = part * (wp[e] - tp[e]); });
      exec.fence();
      auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, g);
      for (std::size_t e = 0; e < host.size(); ++e)
        sum += 0.5 * micro_batches_ * static_cast<double>(host.data()[e]) * static_cast<double>(host.data()[e]);
      double before = 0;
      Kokkos::deep_copy(before, loss);
      Kokkos::deep_copy(loss, before + sum);
      sink(static_cast<int>(r), g);
    }
  }

  std::string describe() const override { return "quadratic"; }

  static void fill_random(Matrix<T, Space> const& m, StreamKey const& key) {
    auto const host = Kokkos::create_mirror_view(Kokkos::HostSpace{}, m);
    for (std::size_t e = 0; e < host.size(); ++e) host.data()[e] = static_cast<T>(random_normal(key, e));
    Kokkos::deep_copy(m, host);
  }

 private:
  std::vector<Layer> layers_;
  std::uint64_t seed_;
  int micro_batches_;
  std::vector<Matrix<T, Space>> targets_, gradients_;
};

}  // namespace kaon::test

#endif
