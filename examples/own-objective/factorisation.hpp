// Matrix factorisation, f_j(U, V) = ‖U V − Y_j‖²_F / (2mn): the objective that this example puts behind the optimizer.
#pragma once

#include <kaon/core/reduce.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/objective/objective.hpp>
#include <kaon/random/stream.hpp>

namespace example {

using kaon::Space;
template <class T>
using Matrix = kaon::Matrix<T, Space>;

// Kernels are functors: they see device pointers and numbers, nothing of the host.
template <class T>
struct AddNormal {
  T* to;
  kaon::StreamKey key;
  double deviation;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    to[i] += static_cast<T>(deviation * kaon::random_normal(key, static_cast<std::uint64_t>(i)));
  }
};

template <class T>
struct HalfSquare {
  T const* a;
  double scale;
  KOKKOS_FUNCTION double operator()(std::int64_t i) const {
    return 0.5 * scale * static_cast<double>(a[i]) * static_cast<double>(a[i]);
  }
};

template <class T>
void add_normal(Space const& exec, Matrix<T> const& to, double deviation, kaon::StreamKey const& key) {
  Kokkos::parallel_for("example::add_normal", Kokkos::RangePolicy<Space>(exec, 0, static_cast<std::int64_t>(to.size())),
                       AddNormal<T>{to.data(), key, deviation});
}

/// Worker j sees Y_j = U* V* + noise of its own, made from the seed alone: every rank could make every worker's data.
template <class T>
class Factorisation : public kaon::Objective<T> {
 public:
  using typename kaon::Objective<T>::Point;
  using typename kaon::Objective<T>::ConstPoint;
  using typename kaon::Objective<T>::Sink;

  Factorisation(int m, int n, int rank, int workers, std::uint64_t seed, double noise = 0.3)
      : layers_{{"U", m, rank}, {"V", rank, n}},
        seed_(seed),
        R_("example::residual", m, n),
        gradient_U_("example::gradient_U", m, rank),
        gradient_V_("example::gradient_V", rank, n),
        partials_("example::partials", kaon::reduce_blocks(std::int64_t{m} * n)) {
    Space const exec;
    Matrix<T> const U("example::U", m, rank), V("example::V", rank, n);
    add_normal<T>(exec, U, 1, {seed, kaon::Purpose::batch, 0, 0});
    add_normal<T>(exec, V, 1, {seed, kaon::Purpose::batch, 0, 1});
    for (int j = 0; j < workers; ++j) {
      data_.emplace_back("example::Y", m, n);
      kaon::gemm<T>(exec, data_.back(), kaon::Op::none, U, kaon::Op::none, V);
      add_normal<T>(exec, data_.back(), noise, {seed, kaon::Purpose::batch, 1, 0, static_cast<std::uint32_t>(j)});
    }
  }

  std::vector<kaon::Layer> const& layers() const override { return layers_; }

  void initialize(Space const& exec, Point const& X) override {
    for (std::uint32_t i = 0; i < 2; ++i) {
      Kokkos::deep_copy(exec, X[i], T(0));
      add_normal<T>(exec, X[i], 0.1, {seed_, kaon::Purpose::initialise, 0, i});
    }
  }

  void gradient(Space const& exec, kaon::Scalar<double, Space> const& loss, ConstPoint const& W, kaon::Share const& share,
                Sink const& sink) override {
    using kaon::Op;
    auto const entries = static_cast<std::int64_t>(R_.size());
    double const weight = 1 / static_cast<double>(entries);
    Kokkos::deep_copy(exec, R_, data_[static_cast<std::size_t>(share.worker)]);
    kaon::gemm<T>(exec, R_, Op::none, W[0], Op::none, W[1], 1, -1);  // R = U V − Y_j
    kaon::reduce_sum(exec, "example::loss", loss, partials_, entries, HalfSquare<T>{R_.data(), weight});
    this->backward_begins();
    kaon::gemm<T>(exec, gradient_V_, Op::transpose, W[0], Op::none, R_, static_cast<T>(weight));
    sink(1, gradient_V_);
    kaon::gemm<T>(exec, gradient_U_, Op::none, R_, Op::transpose, W[1], static_cast<T>(weight));
    sink(0, gradient_U_);
  }

  std::string describe() const override { return "matrix factorisation"; }

 private:
  std::vector<kaon::Layer> layers_;
  std::uint64_t seed_;
  Matrix<T> R_, gradient_U_, gradient_V_;
  kaon::Vector<double, Space> partials_;
  std::vector<Matrix<T>> data_;
};

}  // namespace example
