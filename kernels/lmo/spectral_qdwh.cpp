#include <kaon/core/instantiate.hpp>
#include <kaon/lmo/detail.hpp>
#include <kaon/lmo/norms.hpp>
#include <kaon/polar/qdwh.hpp>

namespace kaon {
namespace qdwh_norm {

/// Y ← T(a·X), rounded once from double.
template <class T, class U, class Exec>
void convert(Exec const& exec, Out<Matrix<T, Exec>> const& Y, double a, In<ConstMatrix<U, Exec>> const& X) {
  T* y = Y.data();
  U const* x = X.data();
  Kokkos::parallel_for(
      "kaon::lmo_convert",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(X.size())),
      KOKKOS_LAMBDA(std::int64_t const i) { y[i] = static_cast<T>(a * static_cast<double>(x[i])); });
}

/// Singular values of a float matrix below 1e-8 of its norm are its rounding.
template <class T>
inline constexpr double smallest = sizeof(T) == 4 ? 1e-8 : 1e-16;

template <class T, class Exec>
class QdwhLmo final : public Lmo<T, Exec> {
 public:
  QdwhLmo(int rows, int cols, double scale)
      : Lmo<T, Exec>(rows, cols, scale),
        qdwh_(rows, cols, smallest<T>),
        G_("kaon::lmo_qdwh::G", static_cast<std::size_t>(rows), static_cast<std::size_t>(cols)),
        Z_("kaon::lmo_qdwh::Z", static_cast<std::size_t>(rows), static_cast<std::size_t>(cols)),
        partials_("kaon::lmo_qdwh::partials", static_cast<std::size_t>(norm_workspace(rows, cols))) {}

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    convert<double, T>(exec, G_, 1.0, G);
    qdwh_(exec, Z_, G_);
    convert<T, double>(exec, Z, -this->scale(), Z_);
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    lmo_detail::minus_dot<T>(exec, result, partials_, G, Z);
  }

 private:
  Qdwh<Exec> qdwh_;
  Matrix<double, Exec> G_, Z_;
  Vector<double, Exec> partials_;
};

}  // namespace qdwh_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_qdwh_lmo(int rows, int cols, double scale) {
  return std::make_unique<qdwh_norm::QdwhLmo<T, Exec>>(rows, cols, scale);
}

#define KAON_KERNEL(T, Exec) template std::unique_ptr<Lmo<T, Exec>> make_qdwh_lmo<T, Exec>(int, int, double);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
