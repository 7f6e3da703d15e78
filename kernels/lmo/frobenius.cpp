#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/lmo/norms.hpp>

namespace kaon {
namespace frobenius_norm {

/// Z ← −s·G/√(squares()); zero where that norm is zero.
template <class T, class Exec>
void direction(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G,
               In<ConstScalar<double, Exec>> const& squares, double scale) {
  T* z = Z.data();
  T const* g = G.data();
  Kokkos::parallel_for(
      "kaon::lmo_frobenius",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(G.size())),
      KOKKOS_LAMBDA(std::int64_t const i) {
        z[i] = squares() == 0.0 ? T(0) : static_cast<T>(-scale * (static_cast<double>(g[i]) / math::sqrt(squares())));
      });
}

template <class Exec>
void root(Exec const& exec, Out<Scalar<double, Exec>> const& result, double scale) {
  Kokkos::parallel_for(
      "kaon::lmo_frobenius_dual", Kokkos::RangePolicy<Exec>(exec, 0, 1),
      KOKKOS_LAMBDA(int const) { result() = scale * math::sqrt(result()); });
}

template <class T, class Exec>
class FrobeniusLmo final : public Lmo<T, Exec> {
 public:
  FrobeniusLmo(int rows, int cols, double scale)
      : Lmo<T, Exec>(rows, cols, scale),
        squares_("kaon::lmo_frobenius::squares"),
        partials_("kaon::lmo_frobenius::partials", static_cast<std::size_t>(norm_workspace(rows, cols))) {}

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    sum_squares<T>(exec, squares_, partials_, G);
    direction<T>(exec, Z, G, squares_, this->scale());
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    sum_squares<T>(exec, result, partials_, G);
    root(exec, result, this->scale());
  }

 private:
  Scalar<double, Exec> squares_;
  Vector<double, Exec> partials_;
};

}  // namespace frobenius_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_frobenius_lmo(int rows, int cols, double scale) {
  return std::make_unique<frobenius_norm::FrobeniusLmo<T, Exec>>(rows, cols, scale);
}

NormTraits frobenius_norm_traits() { return {"frobenius", lmo_scales(), spectral_rms, nullptr, entrywise_cost, never, always}; }

#define KAON_KERNEL(T, Exec) template std::unique_ptr<Lmo<T, Exec>> make_frobenius_lmo<T, Exec>(int, int, double);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
