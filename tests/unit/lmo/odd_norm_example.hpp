#ifndef ODD_NORM_EXAMPLE_HPP
#define ODD_NORM_EXAMPLE_HPP

#include <kaon/core/reduce.hpp>
#include <kaon/lmo/registry.hpp>

/// A weighted max-abs norm: ‖Z‖ = max |z_ij|/w_j with w_j = 1 for even columns j and 1/2 for odd ones. Dual: Σ w_j|g_ij|;
/// oracle: z_ij = −s·w_j·sign(g_ij).
template <class T, class Exec>
class OddNorm final : public kaon::Lmo<T, Exec> {
 public:
  OddNorm(int rows, int cols, double scale)
      : kaon::Lmo<T, Exec>(rows, cols, scale),
        partials_("odd_norm::partials", static_cast<std::size_t>(kaon::reduce_blocks(std::int64_t{rows} * cols))) {}
  static std::unique_ptr<kaon::Lmo<T, Exec>> make(kaon::NormBlock const& block) {
    return std::make_unique<OddNorm>(block.rows * block.batch, block.cols, block.scale);
  }
  static kaon::NormTraits traits() {
    kaon::NormTraits t;
    t.name = "odd";
    t.scales = {"none", "muon", "moonlight", "input"};
    t.cost = kaon::entrywise_cost;
    t.stacks = kaon::always;  // blocks one below the other have the columns of each
    t.squares = kaon::never;
    return t;
  }

  void apply(Exec const& exec, kaon::Out<kaon::Matrix<T, Exec>> const& Z,
             kaon::In<kaon::ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    Kokkos::parallel_for("odd_norm", Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, size(G)),
                         Step{Z.data(), G.data(), this->cols(), static_cast<T>(this->scale())});
  }
  void dual_norm(Exec const& exec, kaon::Out<kaon::Scalar<double, Exec>> const& result,
                 kaon::In<kaon::ConstMatrix<T, Exec>> const& G, kaon::In<kaon::ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    kaon::reduce_sum(exec, "odd_norm_dual", result, partials_, size(G), Weighted{G.data(), this->cols(), this->scale()});
  }

  // Kernels: public, as nvcc asks for.
  struct Step {
    T* z;
    T const* g;
    std::int64_t cols;
    T s;
    KOKKOS_FUNCTION void operator()(std::int64_t i) const {
      T const x = g[i], weight = i % cols % 2 == 0 ? T(1) : T(0.5);
      T const none = x - x;  // zero, but for a NaN or an infinity
      z[i] = none == T(0) ? (x > T(0) ? -s * weight : x < T(0) ? s * weight : T(0)) : none;
    }
  };
  struct Weighted {
    T const* g;
    std::int64_t cols;
    double s;
    KOKKOS_FUNCTION double operator()(std::int64_t i) const {
      double const x = static_cast<double>(g[i]);
      return (i % cols % 2 == 0 ? s : 0.5 * s) * (x < 0 ? -x : x);
    }
  };

 private:
  static std::int64_t size(kaon::ConstMatrix<T, Exec> const& G) { return static_cast<std::int64_t>(G.size()); }
  kaon::Vector<double, Exec> partials_;
};

#endif
