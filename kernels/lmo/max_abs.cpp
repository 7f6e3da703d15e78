#include <kaon/core/instantiate.hpp>
#include <kaon/core/reduce.hpp>
#include <kaon/lmo/norms.hpp>

namespace kaon {
namespace max_abs_norm {

/// Z ← −s·sign(G); a NaN or an infinity becomes a NaN.
template <class T, class Exec>
void sign(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G, double scale) {
  T const s = static_cast<T>(scale);
  T* z = Z.data();
  T const* g = G.data();
  Kokkos::parallel_for(
      "kaon::lmo_max_abs",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(G.size())),
      KOKKOS_LAMBDA(std::int64_t const i) {
        T const x = g[i];
        int const down = static_cast<int>(x > T(0)) - static_cast<int>(x < T(0));  // no branches: signs are unpredictable
        T const none = x - x;                                                      // but for a NaN or an infinity
        z[i] = none == T(0) ? s * static_cast<T>(-down) : none;
      });
}

template <class T, class Exec>
void dual(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
          In<ConstMatrix<T, Exec>> const& G, double scale) {
  T const* g = G.data();
  reduce_sum(
      exec, "kaon::lmo_max_abs_dual", result, partials, static_cast<std::int64_t>(G.size()),
      KOKKOS_LAMBDA(std::int64_t const i) { return scale * math::fabs(static_cast<double>(g[i])); });
}

template <class T, class Exec>
class MaxAbsLmo final : public Lmo<T, Exec> {
 public:
  MaxAbsLmo(int rows, int cols, double scale)
      : Lmo<T, Exec>(rows, cols, scale),
        partials_("kaon::lmo_max_abs::partials", static_cast<std::size_t>(reduce_blocks(std::int64_t{rows} * cols))) {}

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    sign<T>(exec, Z, G, this->scale());
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    dual<T>(exec, result, partials_, G, this->scale());
  }

 private:
  Vector<double, Exec> partials_;
};

}  // namespace max_abs_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_max_abs_lmo(int rows, int cols, double scale) {
  return std::make_unique<max_abs_norm::MaxAbsLmo<T, Exec>>(rows, cols, scale);
}

NormTraits max_abs_norm_traits() {
  return {"max-abs", {"none", "muon", "moonlight", "input"}, nullptr, nullptr, entrywise_cost, always, never};
}

#define KAON_KERNEL(T, Exec) template std::unique_ptr<Lmo<T, Exec>> make_max_abs_lmo<T, Exec>(int, int, double);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
