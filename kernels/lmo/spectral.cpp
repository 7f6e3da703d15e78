#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/lmo/detail.hpp>
#include <kaon/lmo/norms.hpp>
#include <kaon/polar/gram_eigen.hpp>
#include <kaon/polar/qdwh.hpp>

#include <cmath>

namespace kaon {
namespace spectral_norm {

template <class T, class Exec>
class SpectralLmo final : public Lmo<T, Exec> {
 public:
  SpectralLmo(PolarSettings const& settings, int rows, int cols, int batch, double scale)
      : Lmo<T, Exec>(batch * rows, cols, scale),
        polar_(settings, rows, cols, batch),
        partials_("kaon::lmo_spectral::partials", static_cast<std::size_t>(norm_workspace(std::int64_t{batch} * rows, cols))) {}

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    polar_(exec, Z, G);
    kaon::scale<T>(exec, Z, static_cast<T>(-this->scale()));
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    lmo_detail::minus_dot<T>(exec, result, partials_, G, Z);
  }

 private:
  Polar<T, Exec> polar_;
  Vector<double, Exec> partials_;
};

}  // namespace spectral_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_spectral_lmo(PolarSettings const& polar, int rows, int cols, int batch, double scale) {
  return std::make_unique<spectral_norm::SpectralLmo<T, Exec>>(polar, rows, cols, batch, scale);
}

double spectral_rms(double m, double n) { return std::sqrt(m / n); }

namespace {

bool by_polynomial(LmoSettings const& s) { return !s.polar.exact && !s.polar.qdwh; }

double cost(NormBlock const& b) {
  auto const& polar = b.settings.polar;
  if (polar.exact) return gram_polar_cost(b.rows, b.cols);
  return polar.qdwh ? qdwh_cost(b.rows, b.cols) : polar_cost(polar, b.rows, b.cols);
}

}  // namespace

NormTraits spectral_norm_traits() {
  return {
      "spectral", lmo_scales(), spectral_rms, nullptr, cost, by_polynomial, [](LmoSettings const& s) { return !s.polar.exact; }};
}

#define KAON_KERNEL(T, Exec) \
  template std::unique_ptr<Lmo<T, Exec>> make_spectral_lmo<T, Exec>(PolarSettings const&, int, int, int, double);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
