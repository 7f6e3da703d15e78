#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/lmo/norms.hpp>

#include <utility>

namespace kaon {
namespace any_size {

/// Largest entry beyond which, or below whose inverse, squares are in danger: 2^250.
constexpr double far = 1.809251394333065553493e75;

/// factor() ← c by the largest entry; 1 for 0 and for infinity.
template <class Exec>
void choose(Exec const& exec, Out<Scalar<double, Exec>> const& factor, In<ConstScalar<double, Exec>> const& top) {
  Kokkos::parallel_for(
      "kaon::lmo_any_size", Kokkos::RangePolicy<Exec>(exec, 0, 1), KOKKOS_LAMBDA(int const) {
        double c = 1;
        if (math::isfinite(top()) && top() > 0) {
          for (double x = top(); x > far; x /= far) c /= far;
          for (double x = top(); x < 1 / far; x *= far) c *= far;
        }
        factor() = c;
      });
}

template <class Exec>
void scaled(Exec const& exec, Out<Matrix<double, Exec>> const& Y, In<ConstScalar<double, Exec>> const& factor,
            In<ConstMatrix<double, Exec>> const& G) {
  double* y = Y.data();
  double const* g = G.data();
  Kokkos::parallel_for(
      "kaon::lmo_any_size_scale",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(G.size())),
      KOKKOS_LAMBDA(std::int64_t const i) { y[i] = factor() * g[i]; });
}

template <class Exec>
class AnySizeLmo final : public Lmo<double, Exec> {
 public:
  explicit AnySizeLmo(std::unique_ptr<Lmo<double, Exec>> inner)
      : Lmo<double, Exec>(inner->rows(), inner->cols(), inner->scale()),
        inner_(std::move(inner)),
        scaled_("kaon::lmo_any_size::scaled", static_cast<std::size_t>(inner_->rows()), static_cast<std::size_t>(inner_->cols())),
        partials_("kaon::lmo_any_size::partials", static_cast<std::size_t>(norm_workspace(inner_->rows(), inner_->cols()))),
        top_("kaon::lmo_any_size::top"),
        factor_("kaon::lmo_any_size::factor") {}

  void apply(Exec const& exec, Out<Matrix<double, Exec>> const& Z, In<ConstMatrix<double, Exec>> const& G) override {
    this->check(Z, G);
    prepare(exec, G);
    inner_->apply(exec, Z, scaled_);
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<double, Exec>> const& G,
                 In<ConstMatrix<double, Exec>> const& Z) override {
    this->check(Z, G);
    prepare(exec, G);
    inner_->dual_norm(exec, result, scaled_, Z);
    ConstScalar<double, Exec> const factor = factor_;
    Kokkos::parallel_for(
        "kaon::lmo_any_size_dual", Kokkos::RangePolicy<Exec>(exec, 0, 1), KOKKOS_LAMBDA(int const) { result() /= factor(); });
  }

 private:
  void prepare(Exec const& exec, ConstMatrix<double, Exec> const& G) {
    max_abs<double>(exec, top_, partials_, G);
    choose(exec, factor_, top_);
    scaled(exec, scaled_, factor_, G);
  }

  std::unique_ptr<Lmo<double, Exec>> inner_;
  Matrix<double, Exec> scaled_;
  Vector<double, Exec> partials_;
  Scalar<double, Exec> top_, factor_;
};

}  // namespace any_size

template <class Exec>
std::unique_ptr<Lmo<double, Exec>> make_any_size_lmo(std::unique_ptr<Lmo<double, Exec>> inner) {
  return std::make_unique<any_size::AnySizeLmo<Exec>>(std::move(inner));
}

#define KAON_KERNEL(Exec) template std::unique_ptr<Lmo<double, Exec>> make_any_size_lmo<Exec>(std::unique_ptr<Lmo<double, Exec>>);
KAON_FOR_EACH_SPACE(KAON_KERNEL)

}  // namespace kaon
